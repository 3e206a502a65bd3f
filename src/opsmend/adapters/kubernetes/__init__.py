"""The Kubernetes API, spoken as plain JSON through the official client's transport.

Reading (reader, neighbourhood/) and writing (writer) are apart, because different credentials may stand behind them.
"""
