"""Each account of deploy/rbac tries what it must not do, by real calls with its real token, on a real API server.

OPSMEND_TEST_KUBECONFIG names the server (an administrator's token; see docs/lab.md); without it all is skipped. Changes are dry
runs, so that a hole would be found and not used. Not while drills run: the audit log would tell calls that nobody claims.
"""
