"""Storms: one cause, a hundred targets, on a real `opsmend up`, the embedded cluster and a Slack workspace.

A hundred incidents of one cause are one question. Twenty faults that have nothing to do with it, in the same namespace and at
the same time, keep their own.
"""
