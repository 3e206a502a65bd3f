"""kube-apiserver's audit log as the independent witness of what opsmend asked: held against its ledgers and its rights."""
