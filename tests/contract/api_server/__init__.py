"""What opsmend relies on of an API server: the same tests over the embedded cluster and a real one, which must agree.

OPSMEND_TEST_KUBECONFIG names the real one, in which a namespace is made for each test; without it only the embedded one is
asked. Its token must be an administrator's, and its nodes must have IMAGE (see real_side.py): the lab's do.
"""
