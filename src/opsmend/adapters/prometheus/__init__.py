"""Metrics from the Prometheus HTTP API. Anything that speaks it (Thanos, Mimir, VictoriaMetrics) works too."""
