"""Makes the simulated API server keep the kinds of the chart that it does not know: as custom resources of their real groups."""

import yaml

# group, kind, plural, scope
KINDS = [
    ("", "Service", "services", "Namespaced"),
    ("apps", "Deployment", "deployments", "Namespaced"),
    ("apps", "DaemonSet", "daemonsets", "Namespaced"),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", "Namespaced"),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", "Namespaced"),
    ("rbac.authorization.k8s.io", "Role", "roles", "Namespaced"),
    ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", "Namespaced"),
    ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", "Cluster"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", "Cluster"),
]


def definitions():
    """CustomResourceDefinitions of them, as YAML. Without a schema, since the fields are looked at elsewhere."""
    return yaml.safe_dump_all([
        {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}" if group else plural},
            "spec": {
                "group": group, "scope": scope,
                "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                "versions": [{"name": "v1", "served": True, "storage": True}],
            },
        }
        for group, kind, plural, scope in KINDS
    ])
