package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"breakwater/internal/iam"

	"github.com/spf13/cobra"
)

// apiClient is a user of our own JSON APIs, signed in by password.
type apiClient struct {
	base    string
	token   string
	project string
	http    *http.Client
}

// signIn asks for a token as any client would, with what credentials.json holds.
func signIn(ctx context.Context, creds iam.Credentials) (*apiClient, error) {
	body, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": creds.User, "password": creds.Password, "domain": map[string]any{"id": creds.DomainID}}}},
		"scope": map[string]any{"project": map[string]any{"id": creds.ProjectID}},
	}})
	if err != nil {
		return nil, err
	}
	c := &apiClient{base: creds.Endpoint, project: creds.ProjectID, http: &http.Client{Timeout: 30 * time.Second}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v3/auth/tokens", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := readAnswer(resp, nil); err != nil {
		return nil, fmt.Errorf("sign-in: %w", err)
	}
	c.token = resp.Header.Get("X-Subject-Token")
	return c, nil
}

// get reads one answer into out. The path is below the project.
func (c *apiClient) get(ctx context.Context, path string, query url.Values, out any) error {
	return c.do(ctx, http.MethodGet, path, query, nil, out)
}

// do sends one request below the project; body and out may be nil.
func (c *apiClient) do(ctx context.Context, method, path string, query url.Values, body, out any) error {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/v5/"+c.project+path+"?"+query.Encode(), payload)
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return readAnswer(resp, out)
}

// readAnswer decodes a good answer, and turns a bad one into its words.
func readAnswer(resp *http.Response, out any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		var e struct {
			Code    string `json:"error_code"`
			Message string `json:"error_msg"`
		}
		if json.Unmarshal(body, &e) == nil && e.Message != "" {
			return fmt.Errorf("%s (%s)", e.Message, e.Code)
		}
		return fmt.Errorf("%s: %.300s", resp.Status, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// clientCommand is a command that asks a running server, as the user of a
// credentials file.
func clientCommand(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c *apiClient, args []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		name, _ := cmd.Flags().GetString("credentials")
		creds, err := iam.ReadCredentials(name)
		if err != nil {
			return err
		}
		if endpoint, _ := cmd.Flags().GetString("endpoint"); endpoint != "" {
			creds.Endpoint = strings.TrimSuffix(endpoint, "/")
		}
		c, err := signIn(cmd.Context(), creds)
		if err != nil {
			return err
		}
		return run(cmd, c, args)
	}}
	cmd.Flags().String("credentials", "data/credentials.json", "file with endpoint, domain_id, project_id, user, password")
	cmd.Flags().String("endpoint", "", "another address of the server than the file's")
	return cmd
}
