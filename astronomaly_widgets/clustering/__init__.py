"""Objects of a kind: clusters of feature space, as many as there are (ML24, E24 figure 5)."""

from ._cluster import METHODS, Clusters, Method, cluster

__all__ = ["METHODS", "Clusters", "Method", "cluster"]
