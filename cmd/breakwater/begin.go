package main

import (
	"context"

	"breakwater"
)

// begin does what a start begins with, beside serving: the starter set of
// advisories on an empty database, what an import that was killed left to be
// judged, and how stale it all is, said aloud.
func (h *house) begin(ctx context.Context) error {
	defer h.begun.Store(true)
	if h.config.Starter {
		switch err := h.worker.LoadStarter(ctx); {
		case err == nil, ctx.Err() != nil:
		case breakwater.KindOf(err) == breakwater.KindConflict:
			h.log.Info("the starter set gives way to an update that has begun")
		default:
			h.log.Error("the starter set of advisories could not be read", "error", err)
		}
	}
	if err := h.worker.CatchUp(ctx); err != nil && ctx.Err() == nil {
		h.log.Error("packages could not be judged again", "error", err)
	}
	if err := h.worker.Rejudge(ctx); err != nil && ctx.Err() == nil {
		h.log.Error("images could not be judged again by the rules of this version", "error", err)
	}
	if note := h.feedNote(ctx); note != "" {
		h.log.Warn("advisories are stale", "note", note)
	}
	return nil
}

// feedNote says what must not be believed of the advisories, or nothing.
func (h *house) feedNote(ctx context.Context) string {
	feeds, err := h.db.Feeds(ctx)
	if err != nil {
		return ""
	}
	return staleNote(feeds)
}
