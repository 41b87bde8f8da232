package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// apiClient is a user of our own JSON APIs, signed in by password.
type apiClient struct {
	base    string
	token   string
	project string
	http    *http.Client
}

// signIn asks for a token as any client would.
func signIn(ctx context.Context, base, domain, user, password, project string) (*apiClient, error) {
	body, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": user, "password": password, "domain": map[string]any{"name": domain}}}},
		"scope": map[string]any{"project": map[string]any{"name": project}},
	}})
	if err != nil {
		return nil, err
	}
	c := &apiClient{base: base, http: &http.Client{Timeout: 30 * time.Second}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v3/auth/tokens", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Token struct {
			Project struct {
				ID string `json:"id"`
			} `json:"project"`
		} `json:"token"`
	}
	if err := readAnswer(resp, &out); err != nil {
		return nil, err
	}
	c.token, c.project = resp.Header.Get("X-Subject-Token"), out.Token.Project.ID
	return c, nil
}

// get reads one answer into out.
func (c *apiClient) get(ctx context.Context, path string, query url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return readAnswer(resp, out)
}

func readAnswer(resp *http.Response, out any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		return fmt.Errorf("%s: %.300s", resp.Status, body)
	}
	return json.Unmarshal(body, out)
}
