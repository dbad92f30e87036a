// The first types of this layer follow.
