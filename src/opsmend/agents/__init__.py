"""The four agents as LangGraph graphs: what they think. No I/O but through ports; every node runs as an activity."""
