// Package auth answers "is this really them, and may they" from values alone: it
// knows no store, no clock and no network.
//
// # Signed requests (SDK-HMAC-SHA256)
//
//	Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=a;b, Signature=hex
//	X-Sdk-Date: 20060102T150405Z
//
// The signer hashes a canonical form of the request
//
//	METHOD \n path \n query \n (name:value\n)… \n names joined by ; \n hex sha256(body)
//
// and signs "SDK-HMAC-SHA256 \n date \n hex sha256(canonical)" with HMAC-SHA256
// under the secret key itself. VerifySignature rebuilds it from what came in: the
// headers are those that the client says it signed, in its order, the host is
// the one the request was sent to, and the date must be within MaxSkew of now.
// A body hash given in X-Sdk-Content-Sha256 must be the true one; the word
// UNSIGNED-PAYLOAD is taken only for a body that is not JSON.
//
// # Tokens
//
// A Signer makes two sorts of JWT (HS256), told apart by audience: user tokens
// for the JSON APIs (24 hours) and registry tokens for docker, which carry what
// they allow and live for minutes. The key comes from the keyring.
//
// # Docker logins
//
// A docker client logs in as {project}@{AK} with DockerPassword, so the secret
// key itself is never typed into it.
package auth
