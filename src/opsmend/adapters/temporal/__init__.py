"""Temporal as the front desk of incidents, and the embedded development server."""
