// The call demo follows.
