package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"breakwater/internal/auth"
	"breakwater/internal/iam"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

// demoShop is the image whose findings are shown check by check.
const demoShop = "demo/shop:1.4"

// demoWait is how long the demo waits for its images to be scanned before it
// shows what there is.
const demoWait = 5 * time.Minute

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve; on an empty data directory, push images made from this machine and show what is found",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags())
			if err != nil {
				return err
			}
			if len(c.AllowNetworks) == 0 {
				c.AllowNetworks = []string{"127.0.0.0/8"}
			}
			_, err = os.Stat(filepath.Join(c.Data, "credentials.json"))
			fresh := os.IsNotExist(err)
			if !cmd.Flags().Changed("log-level") && os.Getenv("BREAKWATER_LOG_LEVEL") == "" {
				c.LogLevel = "error"
			}
			d := demo{out: cmd.OutOrStdout(), bar: cmd.ErrOrStderr(), fresh: fresh}
			return serve(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr(), d.run)
		},
	}
	serveFlags(cmd.Flags())
	return cmd
}

type demo struct {
	out, bar io.Writer
	fresh    bool
}

// run does what a first user would: push, wait, look.
func (d demo) run(ctx context.Context, h *house) error {
	creds, err := iam.ReadCredentials(filepath.Join(h.config.Data, "credentials.json"))
	if err != nil {
		return err
	}
	if d.fresh {
		if err := d.push(ctx, creds); err != nil {
			return fmt.Errorf("demo push: %w", err)
		}
	}
	client, err := signIn(ctx, creds)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if d.fresh {
		if err := d.wait(ctx, h, client); err != nil {
			return err
		}
	}
	if err := d.show(ctx, client); err != nil {
		return err
	}
	d.whatNext(h, creds)
	return nil
}

// push makes the images and pushes them through /v2/ as docker would.
func (d demo) push(ctx context.Context, creds iam.Credentials) error {
	binary, err := binaryFile()
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	host, err := url.Parse(creds.Endpoint)
	if err != nil {
		return err
	}
	login := &authn.Basic{Username: creds.ProjectName + "@" + creds.AccessKey, Password: auth.DockerPassword(creds.AccessKey, []byte(creds.SecretKey))}
	for _, i := range []struct {
		name  string
		steps []demoStep
	}{
		{"demo/base:1.0", systemSteps()},
		{"demo/breakwater:1.0", append(systemSteps(), demoStep{By: "COPY breakwater /usr/local/bin/breakwater # buildkit", Files: binary})},
		{demoShop, shopSteps(systemSteps())},
	} {
		if len(i.steps) == 0 {
			continue // a machine without a package database
		}
		img, err := demoImage(now, i.steps...)
		if err != nil {
			return err
		}
		ref, err := name.ParseReference(host.Host + "/" + i.name)
		if err != nil {
			return err
		}
		if err := remote.Write(ref, img, remote.WithAuth(login), remote.WithContext(ctx)); err != nil {
			return err
		}
		fmt.Fprintf(d.out, "pushed %s/%s\n", host.Host, i.name)
	}
	return nil
}

// wait shows a bar until the advisories are there and every image is scanned.
func (d demo) wait(ctx context.Context, h *house, c *apiClient) error {
	ctx, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	bar := progressbar.NewOptions(100, progressbar.OptionSetWriter(terminal(d.bar)), progressbar.OptionSetDescription("scanning"),
		progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	defer func() { _ = bar.Finish() }()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	said := ""
	for {
		rows, _, err := listImages(ctx, c, url.Values{"limit": {"50"}})
		if err != nil {
			return fmt.Errorf("demo list: %w", err)
		}
		done := 0
		for _, r := range rows {
			if r.Status == "success" || r.Status == "failed" {
				done++
			}
		}
		loaded := h.begun.Load()
		percent := 80 * done / max(1, len(rows))
		if loaded {
			percent += 20
		}
		_ = bar.Set(min(99, percent))
		if line := fmt.Sprintf("scanned %d of %d images, advisories loaded: %t", done, len(rows), loaded); line != said && terminal(d.bar) == io.Discard {
			fmt.Fprintln(d.out, line) // no terminal, no bar
			said = line
		}
		if done == len(rows) && loaded {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // what there is is shown
		case <-tick.C:
		}
	}
}

func (d demo) show(ctx context.Context, c *apiClient) error {
	rows, _, err := listImages(ctx, c, url.Values{"limit": {"50"}})
	if err != nil {
		return fmt.Errorf("demo list: %w", err)
	}
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, []string{r.full(), r.Version, bytesText(r.Size), r.Status, r.Level, strconv.Itoa(r.Vuls), d.worst(ctx, c, r)})
	}
	fmt.Fprintln(d.out)
	table(d.out, []string{"IMAGE", "TAG", "SIZE", "SCAN", "SEVERITY", "FINDINGS", "FOR EXAMPLE"}, cells)
	for _, r := range rows {
		if r.full()+":"+r.Version == demoShop && r.Status == "success" {
			return d.checks(ctx, c, r)
		}
	}
	return nil
}

// worst is one urgent finding of an image, for the table.
func (d demo) worst(ctx context.Context, c *apiClient, r imageRow) string {
	if r.Status != "success" {
		return r.Reason
	}
	var out struct {
		Rows []struct {
			ID      string `json:"vul_id"`
			App     string `json:"app_name"`
			Version string `json:"version"`
		} `json:"data_list"`
	}
	err := c.get(ctx, "/image/"+r.ImageID+"/vulnerabilities", url.Values{"image_type": {r.Type}, "namespace": {r.Namespace},
		"image_name": {r.Name}, "tag_name": {r.Version}, "limit": {"10"}}, &out)
	if err != nil || len(out.Rows) == 0 {
		return ""
	}
	return out.Rows[0].ID + " in " + out.Rows[0].App + " " + out.Rows[0].Version
}

func (d demo) whatNext(h *house, creds iam.Credentials) {
	if note := h.feedNote(context.Background()); note != "" {
		fmt.Fprintf(d.out, "\n%s\n", note)
	}
	fmt.Fprintf(d.out, `
Serving on %[1]s. Where to go next:
  credentials   %[2]s
  docker login  user %[3]s@%[4]s, password: printf '%%s' AK | openssl dgst -sha256 -hmac SK (docs/registry.md)
  API           %[1]s/openapi/hss.json  %[1]s/openapi/swr.json  %[1]s/openapi/iam.json
  metrics       %[1]s/metrics
  stop          Ctrl-C (data stays in %[5]s)
`, h.config.Endpoint, filepath.Join(h.config.Data, "credentials.json"), creds.ProjectName, creds.AccessKey, h.config.Data)
}
