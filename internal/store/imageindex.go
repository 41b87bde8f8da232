package store

// imageIndexes holds one in-memory index for each project.
type imageIndexes struct{}
