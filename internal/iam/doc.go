// Package iam knows the people of an installation: domains, projects, users,
// roles, access keys and tokens.
//
//	first start ─► Bootstrap: domain, project, admin, one access key ─► credentials.json
//	every request of every door ─► Server.SignIn: signature or X-Auth-Token ─► breakwater.Caller
//	docker login ─► Server.DockerLogin: {project}@{AK} and its HMAC password ─► breakwater.Caller
//	POST /v3/auth/tokens ─► password ─► token; GET /v3/projects, /v3/auth/domains
//	command line ─► CreateUser, SetRole, CreateAccessKey, …
//
// Secret keys are in the database sealed by the keyring, passwords as bcrypt. An
// access key is bound to one project. A temporary key (SWR's CreateSecret) logs
// docker in and nothing else. A token ends after 24 hours, and at once when its
// user is disabled, leaves the project or gets another password.
//
// Failed passwords are slowed down for each user and address.
package iam
