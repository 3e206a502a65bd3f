"""What must pass before a change lands, part by part. docs/ci.md says what each part costs and proves.

Nothing of opsmend imports it. It starts ordinary `make` targets, reads their exit codes, and keeps ci/results.json.
"""
