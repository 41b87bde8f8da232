// Package door is what the JSON APIs share. A door is mounted from an OpenAPI
// document (package api): every path, parameter, range, enum, default and
// success status comes from there, and an operation without a handler answers
// 501 by itself.
//
// # The way of a request
//
//	path ─► operation (literal beats parameter; 404, 405)
//	     ─► body, bounded (413)
//	     ─► sign-in: who (401); the project of the path is theirs (404)
//	     ─► handler there? (501) role enough? (the dialect's "no right")
//	     ─► parameters and body against their schemas, defaults (400, naming the field, never its value)
//	     ─► In ─► handler ─► Out or error ─► JSON, access log, Observe
//
// Nothing redirects, every answer has X-Request-Id, and every failure has the
// one body {"error_code","error_msg","request_id"}; the Dialect chooses code and
// status from the error's kind. The access log holds the path template and never
// the query or a header: a query may carry a password.
//
// # Writing a handler
//
// A handler parses nothing: it asks one room, shapes the answer, returns an error.
//
//	type server struct{ db *store.DB }
//
//	type listRegistryIn struct {
//		Offset int    `query:"offset"` // the document's default is filled in
//		Limit  int    `query:"limit"`
//		Name   string `query:"registry_name"`
//		Vul    *bool  `query:"has_vul"` // a pointer where absent differs from zero
//
//		_ struct{} `ignore:"instance_id"` // documented, deliberately unused
//	}
//
//	type listRegistryOut struct {
//		Total int64          `json:"total_num"`
//		List  []registryInfo `json:"data_list"`
//	}
//
//	func (s *server) listRegistry(ctx context.Context, in listRegistryIn) (listRegistryOut, error) {
//		caller, _ := breakwater.CallerFrom(ctx) // always there behind sign-in
//		rows, total, err := s.db.Registries(ctx, caller.ProjectID, …)
//		…
//	}
//
//	d, err := door.New(api.HSS, door.Options{Dialect: door.HSS, SignIn: signIn, Logger: log})
//	door.Handle(d, "ListRegistry", breakwater.RoleViewer, s.listRegistry)
//	http.ListenAndServe(addr, d) // or: if d.Matches(r) { d.ServeHTTP(w, r) }
//
// A body is a field tagged body:"" holding a struct with json tags; it is a
// pointer where the document makes the body optional. Header parameters are
// tagged header:"region". Numbers that SWR types as strings (limit, offset) bind
// to int. An array parameter binds to []string.
//
// Out: a struct, or a slice where the contract answers a bare array (nil is
// written []), or struct{} for "nothing" (written {} unless the status is 204).
// Give it SetHeaders(http.Header) for Content-Range and its like, AnswerStatus()
// int for another success status.
//
// Errors: return *breakwater.Error. Invalid(field, …) for what a schema cannot
// say ("needed when get_scan_image_channel is Other"), NotFound, Conflict (with
// Code: door.CodeNotEmpty for SWR's 406). A Code that begins with HSS. or SVCSTG.
// is sent as it is. Any other error is a 500 whose text only the log sees.
//
// Every door's test calls CheckTypes, which holds the structs against the document.
package door
