"""A small in-memory Kubernetes on loopback: real HTTP, used through ordinary clients and kubectl.

Stands alone: imports nothing of opsmend, and nothing of opsmend may lean on it. What it lacks answers 501.

    async with running_cluster(ClusterConfig(rules=[...])) as cluster:   # in this process
        seed_shop(cluster.url)                                          # blocking: from a thread
    with cluster_in_thread(ClusterConfig(...)) as url: ...              # for code that blocks
    python -m opsmend_cluster --port 0 --ready-file F --kubeconfig F --seed-shop

Layers, lowest first: `objects` (store), `writes` (rules of a write), `kubelet`, `controllers` (what happens by itself), `api`.
Failure rules are described in `kubelet/rules.py`, the knobs under /opsmend-demo/ in `api/admin.py`, time in `timing.py`.
"""
