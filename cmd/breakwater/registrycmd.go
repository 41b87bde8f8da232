package main

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func registryCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "registry", Short: "Registries that images come from, on a running server"}
	add := clientCommand("add NAME ADDRESS", "Onboard a registry; the password is read from standard input", cobra.ExactArgs(2), runRegistryAdd)
	f := add.Flags()
	f.String("type", "Harbor", "Harbor, Jfrog or Other (any OCI registry)")
	f.String("api-version", "V2", "V1 or V2")
	f.String("protocol", "https", "http or https")
	f.String("username", "", "who signs in there")
	f.StringSlice("repository", nil, "of Other: repositories to look at where the catalogue is forbidden")
	cmd.AddCommand(add,
		clientCommand("list", "List registries", cobra.NoArgs, runRegistryList),
		clientCommand("delete ID", "Forget a registry and its images", cobra.ExactArgs(1), func(cmd *cobra.Command, c *apiClient, args []string) error {
			return c.do(cmd.Context(), "DELETE", "/image/registries/"+url.PathEscape(args[0]), nil, nil, nil)
		}),
		clientCommand("sync", "Synchronise every registry now", cobra.NoArgs, func(cmd *cobra.Command, c *apiClient, _ []string) error {
			return c.do(cmd.Context(), "POST", "/image/image-sync/tasks", nil, map[string]any{"sync_all_registries": true}, nil)
		}))
	return cmd
}

func runRegistryAdd(cmd *cobra.Command, c *apiClient, args []string) error {
	password, err := readPassword(cmd)
	if err != nil {
		return err
	}
	body := map[string]any{"registry_name": args[0], "registry_addr": args[1], "registry_password": password,
		"connect_cluster_id": "local", "get_scan_image_channel": "Swr"}
	for flag, field := range map[string]string{"type": "registry_type", "api-version": "api_version", "protocol": "protocol", "username": "registry_username"} {
		body[field], _ = cmd.Flags().GetString(flag)
	}
	if repositories, _ := cmd.Flags().GetStringSlice("repository"); len(repositories) > 0 {
		body["repositories"] = repositories
	}
	return c.do(cmd.Context(), "POST", "/image/registries", nil, body, nil)
}

func runRegistryList(cmd *cobra.Command, c *apiClient, _ []string) error {
	var cells [][]string
	for {
		var out struct {
			Total int `json:"total_num"`
			Rows  []struct {
				ID     string `json:"id"`
				Name   string `json:"registry_name"`
				Type   string `json:"registry_type"`
				Addr   string `json:"registry_addr"`
				Status string `json:"status"`
				Reason string `json:"fail_reason"`
				Images int64  `json:"images_num"`
				Synced int64  `json:"latest_sync_time"`
			} `json:"data_list"`
		}
		if err := c.get(cmd.Context(), "/image/registries", url.Values{"limit": {"200"}, "offset": {strconv.Itoa(len(cells))}}, &out); err != nil {
			return err
		}
		for _, r := range out.Rows {
			synced := "-"
			if r.Synced > 0 {
				synced = dateText(time.UnixMilli(r.Synced))
			}
			cells = append(cells, []string{r.ID, r.Name, r.Type, r.Addr, r.Status, r.Reason, strconv.FormatInt(r.Images, 10), synced})
		}
		if len(out.Rows) == 0 || len(cells) >= out.Total {
			break
		}
	}
	table(cmd.OutOrStdout(), []string{"ID", "NAME", "TYPE", "ADDRESS", "STATUS", "REASON", "IMAGES", "SYNCED"}, cells)
	fmt.Fprintf(cmd.OutOrStdout(), "%d registries\n", len(cells))
	return nil
}
