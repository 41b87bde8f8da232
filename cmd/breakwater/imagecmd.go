package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// imageRow is what tables show of an answer of ListRegistryImages.
type imageRow struct {
	ID        int64  `json:"id"`
	Namespace string `json:"namespace"`
	Name      string `json:"image_name"`
	ImageID   string `json:"image_id"`
	Version   string `json:"image_version"`
	Type      string `json:"image_type"`
	Registry  string `json:"registry_name"`
	Status    string `json:"scan_status"`
	Size      int64  `json:"image_size"`
	Vuls      int    `json:"vul_num"`
	Level     string `json:"severity_level"`
	Reason    string `json:"scan_failed_desc"`
}

func (r imageRow) full() string {
	return strings.TrimPrefix(r.Namespace+"/"+r.Name, "/")
}

func listImages(ctx context.Context, c *apiClient, query url.Values) (rows []imageRow, total int, err error) {
	var out struct {
		Total int        `json:"total_num"`
		Rows  []imageRow `json:"data_list"`
	}
	err = c.get(ctx, "/image/registries/images", query, &out)
	return out.Rows, out.Total, err
}

func imageCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "image", Short: "Images and what is in them, from a running server"}
	list := clientCommand("list", "List images", cobra.NoArgs, runImageList)
	list.Flags().StringSlice("filter", nil, "field=value of ListRegistryImages, such as severity_level=High, scan_status=failed, image_name=app")
	list.Flags().Int("limit", 50, "rows, 1 to 200")
	list.Flags().Int("offset", 0, "rows to leave out")
	scan := clientCommand("scan [ID…]", "Scan images by the ids of the list, or all of them", cobra.ArbitraryArgs, runImageScan)
	scan.Flags().Bool("all", false, "every image of the project")
	cmd.AddCommand(list, scan, clientCommand("vulnerabilities NAMESPACE/NAME:TAG", "List what was found in one image", cobra.ExactArgs(1), runVulnerabilities))
	return cmd
}

func runImageList(cmd *cobra.Command, c *apiClient, _ []string) error {
	limit, _ := cmd.Flags().GetInt("limit")
	offset, _ := cmd.Flags().GetInt("offset")
	filters, _ := cmd.Flags().GetStringSlice("filter")
	query := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
	for _, f := range filters {
		field, value, ok := strings.Cut(f, "=")
		if !ok {
			return errors.New("--filter: field=value")
		}
		query.Set(field, value)
	}
	rows, total, err := listImages(cmd.Context(), c, query)
	if err != nil {
		return err
	}
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, []string{strconv.FormatInt(r.ID, 10), r.Registry, r.full(), r.Version, bytesText(r.Size), r.Status, r.Level, strconv.Itoa(r.Vuls), r.Reason})
	}
	table(cmd.OutOrStdout(), []string{"ID", "REGISTRY", "IMAGE", "TAG", "SIZE", "SCAN", "SEVERITY", "FINDINGS", "REASON"}, cells)
	fmt.Fprintf(cmd.OutOrStdout(), "%d of %d\n", len(rows), total)
	return nil
}

func runImageScan(cmd *cobra.Command, c *apiClient, args []string) error {
	all, _ := cmd.Flags().GetBool("all")
	if all == (len(args) > 0) {
		return errors.New("name images by id, or --all")
	}
	body := map[string]any{"is_all": all}
	var images []map[string]any
	for _, a := range args {
		id, err := strconv.ParseInt(a, 10, 64)
		if err != nil {
			return errors.New("an id is a number of the list")
		}
		images = append(images, map[string]any{"id": id})
	}
	if !all {
		body["image_info"] = images
	}
	return c.do(cmd.Context(), "POST", "/image/image-scan/tasks", nil, body, nil)
}

func runVulnerabilities(cmd *cobra.Command, c *apiClient, args []string) error {
	repository, tag, ok := strings.Cut(args[0], ":")
	namespace, name, split := strings.Cut(repository, "/")
	if !ok || !split {
		return errors.New("name the image as NAMESPACE/NAME:TAG")
	}
	found, _, err := listImages(cmd.Context(), c, url.Values{"namespace": {namespace}, "image_name": {name}, "image_version": {tag}, "limit": {"1"}})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("no such image")
	}
	r := found[0]
	var cells [][]string
	for offset := 0; ; offset += 200 {
		var out struct {
			Total int `json:"total_num"`
			Rows  []struct {
				ID       string `json:"vul_id"`
				Urgency  string `json:"repair_necessity"`
				App      string `json:"app_name"`
				Version  string `json:"version"`
				Path     string `json:"app_path"`
				Solution string `json:"solution"`
			} `json:"data_list"`
		}
		err := c.get(cmd.Context(), "/image/"+r.ImageID+"/vulnerabilities", url.Values{"image_type": {r.Type}, "namespace": {namespace},
			"image_name": {name}, "tag_name": {tag}, "limit": {"200"}, "offset": {strconv.Itoa(offset)}}, &out)
		if err != nil {
			return err
		}
		for _, v := range out.Rows {
			cells = append(cells, []string{v.ID, v.Urgency, v.App, v.Version, v.Solution, v.Path})
		}
		if len(out.Rows) == 0 || len(cells) >= out.Total {
			break
		}
	}
	table(cmd.OutOrStdout(), []string{"ADVISORY", "URGENCY", "PACKAGE", "VERSION", "SOLUTION", "PATH"}, cells)
	fmt.Fprintf(cmd.OutOrStdout(), "%d findings, scan %s\n", len(cells), r.Status)
	return nil
}
