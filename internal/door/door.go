package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"breakwater"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
)

// DefaultMaxBody is the limit of a request body.
const DefaultMaxBody = 1 << 20

// Options of a Door. SignIn and Dialect are needed; the rest may stay zero.
type Options struct {
	// Dialect chooses the error codes and statuses.
	Dialect Dialect
	// SignIn says who a request speaks for. The body is whole and already
	// bounded; a signature covers it. An error of kind Unauthenticated becomes
	// the dialect's 401.
	SignIn func(r *http.Request, body []byte) (breakwater.Caller, error)
	// Logger gets one line a request and the cause of every 500; nil discards.
	Logger *slog.Logger
	// Observe is told of every answered request (metrics); nil: nobody is.
	// operation is the operation id, or "none" for a path the document lacks.
	Observe func(operation string, status int, took time.Duration)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// MaxBody bounds a request body in bytes; zero means DefaultMaxBody.
	MaxBody int64
}

// Door serves every operation of one OpenAPI document.
type Door struct {
	opts  Options
	doc   *openapi3.T
	mux   *chi.Mux                         // finds the path template, nothing else
	ops   map[string]map[string]*operation // path template → method → operation
	byID  map[string]*operation
	plans map[string]*plan // what the handlers declared, for CheckTypes
}

// New mounts a document. It fails when the document cannot be read, when two
// operations share an id, or when Options lacks what it needs.
func New(doc []byte, opts Options) (*Door, error) {
	if opts.SignIn == nil {
		return nil, errors.New("door: Options.SignIn is needed")
	}
	if opts.Dialect == "" {
		return nil, errors.New("door: Options.Dialect is needed")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.MaxBody == 0 {
		opts.MaxBody = DefaultMaxBody
	}
	t, err := openapi3.NewLoader().LoadFromData(doc)
	if err != nil {
		return nil, fmt.Errorf("door: document: %w", err)
	}
	d := &Door{
		opts: opts, doc: t, mux: chi.NewMux(),
		ops: map[string]map[string]*operation{}, byID: map[string]*operation{}, plans: map[string]*plan{},
	}
	nowhere := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for path, item := range t.Paths.Map() {
		d.ops[path] = map[string]*operation{}
		for method, spec := range item.Operations() {
			op, err := newOperation(t, method, path, spec)
			if err != nil {
				return nil, fmt.Errorf("door: %s %s: %w", method, path, err)
			}
			if d.byID[op.id] != nil {
				return nil, fmt.Errorf("door: operation %s is there twice", op.id)
			}
			d.ops[path][method], d.byID[op.id] = op, op
			d.mux.Method(method, path, nowhere)
		}
	}
	return d, nil
}

// JSON is the document as served at /openapi/….
func (d *Door) JSON() ([]byte, error) { return d.doc.MarshalJSON() }

// Operations are the ids of the document's operations, with whether each has a handler.
func (d *Door) Operations() map[string]bool {
	out := make(map[string]bool, len(d.byID))
	for id, op := range d.byID {
		out[id] = op.handler != nil
	}
	return out
}

// Matches reports whether the path of r belongs to the document, whatever the
// method: with several doors behind one listener, the first that matches serves.
func (d *Door) Matches(r *http.Request) bool {
	op, _, allowed := d.find(r)
	return op != nil || len(allowed) > 0
}

// find is the operation of a request with its path values, else the methods
// that the path does know. Routing uses the escaped path, so a %2F inside one
// segment stays inside it.
func (d *Door) find(r *http.Request) (op *operation, values map[string]string, allowed []string) {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		return nil, nil, nil
	}
	rctx := chi.NewRouteContext()
	if pattern := d.mux.Find(rctx, r.Method, path); pattern != "" {
		values = make(map[string]string, len(rctx.URLParams.Keys))
		for i, k := range rctx.URLParams.Keys {
			values[k] = rctx.URLParams.Values[i]
		}
		return d.ops[pattern][r.Method], values, nil
	}
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if d.mux.Find(chi.NewRouteContext(), m, path) != "" {
			allowed = append(allowed, m)
		}
	}
	return nil, nil, allowed
}

// ServeHTTP answers one request: find the operation, read the body, sign in,
// check project and role, bind and validate, call the handler, render.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := d.opts.Now()
	id := breakwater.NewSecret(16)
	w.Header().Set("X-Request-Id", id)
	ex := &exchange{door: d, w: w, r: r.WithContext(withRequest(r.Context(), id, r.RemoteAddr)), id: id}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			d.opts.Logger.ErrorContext(ex.r.Context(), "handler panicked", "operation", ex.operation(), "request_id", id,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if ex.status == 0 {
				ex.fail(breakwater.Errorf(breakwater.KindInternal, "panic"))
			}
		}
		took := d.opts.Now().Sub(start)
		ex.log(took)
		if d.opts.Observe != nil {
			d.opts.Observe(ex.operation(), ex.status, took)
		}
	}()
	if err := ex.serve(); err != nil {
		ex.fail(err)
	}
}

// exchange is one request and its answer.
type exchange struct {
	door   *Door
	w      http.ResponseWriter
	r      *http.Request
	id     string
	op     *operation
	caller breakwater.Caller
	status int
	bytes  int
}

func (ex *exchange) operation() string {
	if ex.op == nil {
		return "none"
	}
	return ex.op.id
}

func (ex *exchange) serve() error {
	op, values, allowed := ex.door.find(ex.r)
	if op == nil {
		if len(allowed) > 0 {
			ex.w.Header().Set("Allow", strings.Join(allowed, ", "))
			return errMethod
		}
		return errPath
	}
	ex.op = op
	body, err := readBody(ex.w, ex.r, ex.door.opts.MaxBody)
	if err != nil {
		return err
	}
	if !op.public {
		if err := ex.signIn(body, values); err != nil {
			return err
		}
	}
	if op.handler == nil {
		return breakwater.Errorf(breakwater.KindNotBuilt, "%s is not served by this version", op.id)
	}
	if !op.public && !ex.caller.Role.Allows(op.role) {
		return breakwater.Errorf(breakwater.KindForbidden, "the operation needs the role %s in this project", op.role)
	}
	return op.handler(ex, values, body)
}

// signIn finds the caller and holds the project of the path against theirs.
// Another project's path is answered as if it were not there.
func (ex *exchange) signIn(body []byte, values map[string]string) error {
	project, scoped := values["project_id"]
	if scoped && (strings.EqualFold(project, "%7Bproject_id%7D") || project == "{project_id}") {
		return breakwater.Invalid("project_id", "the client has put no project id into the path; give its credentials one")
	}
	caller, err := ex.door.opts.SignIn(ex.r, body)
	if err != nil {
		return err
	}
	ex.caller = caller
	ex.r = ex.r.WithContext(breakwater.WithCaller(ex.r.Context(), caller))
	if scoped && project != caller.ProjectID {
		return errForeign
	}
	// Where the path has no project the client may still say which one it means.
	if said := ex.r.Header.Get("X-Project-Id"); said != "" && said != caller.ProjectID {
		return errForeign
	}
	return nil
}

// readBody reads a bounded body whole; the signature and the validation need it so.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, breakwater.Errorf(breakwater.KindTooLarge, "the request body is over %d bytes", limit)
	case err != nil:
		return nil, &breakwater.Error{Kind: breakwater.KindInvalid, Field: "body", Code: codeUnreadable, Message: "the request body ended early", Err: err}
	}
	return body, nil
}

func (ex *exchange) log(took time.Duration) {
	path := "unknown"
	if ex.op != nil {
		path = ex.op.path
	}
	ex.door.opts.Logger.InfoContext(ex.r.Context(), "request",
		"method", ex.r.Method, "operation", ex.operation(), "path", path, "status", ex.status, "bytes", ex.bytes,
		"duration", took, "user", ex.caller.UserID, "project", ex.caller.ProjectID, "request_id", ex.id)
}

type requestKey struct{}

type requestFacts struct{ id, remote string }

func withRequest(ctx context.Context, id, remoteAddr string) context.Context {
	host, _, err := net.SplitHostPort(remoteAddr)
	if err != nil {
		host = remoteAddr
	}
	return context.WithValue(ctx, requestKey{}, requestFacts{id, host})
}

// RequestID is the id that the answer carries in X-Request-Id, for logs.
func RequestID(ctx context.Context) string {
	f, _ := ctx.Value(requestKey{}).(requestFacts)
	return f.id
}

// Remote is the address the request came from, without its port.
func Remote(ctx context.Context) string {
	f, _ := ctx.Value(requestKey{}).(requestFacts)
	return f.remote
}
