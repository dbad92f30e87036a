extension ResourceType {
    /// The types of role-based access control.
    static let accessTypes: [ResourceType] = {
        let group = "rbac.authorization.k8s.io"
        var clusterRoles = builtIn("clusterroles", "ClusterRole", group: group)
        clusterRoles.isNamespaced = false
        var clusterBindings = builtIn("clusterrolebindings", "ClusterRoleBinding", group: group)
        clusterBindings.isNamespaced = false
        return [
            clusterRoles, clusterBindings, builtIn("roles", "Role", group: group),
            builtIn("rolebindings", "RoleBinding", group: group),
        ]
    }()
}
