package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"breakwater/internal/iam"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: registry, APIs, scanner",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr(), nil)
		},
	}
	serveFlags(cmd.Flags())
	return cmd
}

// serve runs until ctx ends. ready, if set, runs beside the server once it
// answers; its error ends the server, its return does not.
func serve(ctx context.Context, c config, stdout, stderr io.Writer, ready func(context.Context, *house) error) error {
	if err := c.check(); err != nil {
		return err
	}
	log, err := newLogger(c, stderr)
	if err != nil {
		return err
	}
	h, err := openHouse(ctx, c, log)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.bootstrap(ctx, stdout); err != nil {
		return err
	}
	listener, err := h.listen()
	if err != nil {
		return err
	}
	log.Info("serving", "endpoint", c.Endpoint, "listen", listener.Addr().String(), "data", c.Data, "database", string(h.db.Dialect()), "version", version)
	return h.run(ctx, listener, ready)
}

// run serves and works until ctx ends, then stops taking requests, lets running
// ones and running jobs finish for the time of grace, and returns.
func (h *house) run(ctx context.Context, listener net.Listener, ready func(context.Context, *house) error) error {
	server := &http.Server{
		Handler:           h.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    96 << 10, // a token may be 32 KiB
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-gctx.Done()
		soft, cancel := context.WithTimeout(context.WithoutCancel(gctx), h.config.Grace)
		defer cancel()
		if err := server.Shutdown(soft); err != nil {
			return server.Close()
		}
		return nil
	})
	g.Go(func() error { return h.queue.Run(gctx, h.worker.Handlers(), h.config.Grace) })
	g.Go(func() error { return h.registry.Run(gctx) })
	g.Go(func() error { return h.db.WarmImages(gctx) })
	g.Go(func() error { return h.begin(gctx) })
	if ready != nil {
		g.Go(func() error { return ready(gctx, h) })
	}
	err := g.Wait()
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		h.log.Info("stopped")
		return nil
	}
	return err
}

func (h *house) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", h.config.Listen)
	if err != nil || h.config.TLSCert == "" {
		return l, err
	}
	pair, err := tls.LoadX509KeyPair(h.config.TLSCert, h.config.TLSKey)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}), nil
}

// bootstrap makes domain, project, admin and access key on an empty database
// and shows them once.
func (h *house) bootstrap(ctx context.Context, w io.Writer) error {
	file := filepath.Join(h.config.Data, "credentials.json")
	c, created, err := iam.Bootstrap(ctx, h.db, h.keys, iam.BootstrapOptions{Endpoint: h.config.Endpoint, Project: h.config.Project, File: file})
	if err != nil || !created {
		return err
	}
	fmt.Fprintf(w, `First start: these are shown once. They are also in %s (mode 0600).
  project     %s (%s)
  domain      %s
  user        %s
  password    %s
  access key  %s
  secret key  %s
`, file, c.ProjectName, c.ProjectID, c.DomainID, c.User, c.Password, c.AccessKey, c.SecretKey)
	return nil
}

func newLogger(c config, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, errors.New("--log-level: debug, info, warn or error")
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, errors.New("--log-format: text or json")
}

// adminLogger is what commands that do not serve log to.
func adminLogger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
