package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// attempts is at least one request for each operation that is served, made by a
// about everything of v's that the operation can be aimed at.
func attempts(a, v *tenant) []attempt {
	return append(append(append(registryAttempts(v), scanAttempts(a, v)...), imageAttempts(a, v)...), append(swrAttempts(a, v), iamAttempts(v)...)...)
}

// registryAttempts aim at the registry by id, name and address, and at its sync task.
func registryAttempts(v *tenant) []attempt {
	const base = "/v5/%s/image/registries"
	add := fmt.Sprintf(`{"registry_name":"harbor-%s","registry_type":"Harbor","api_version":"V2","protocol":"http","registry_addr":"127.0.0.1:9",
		"registry_username":"x","registry_password":"y","connect_cluster_id":"local","get_scan_image_channel":"Swr"}`, v.name)
	return []attempt{
		{"ListRegistry", "GET", base + "?registry_id=" + v.registry, "", nothing},
		{"ListRegistry", "GET", base + "?registry_addr=" + strings.ReplaceAll(url.QueryEscape(v.harbor.Addr), "%", "%%"), "", nothing},
		{"ListRegistry", "GET", base + "?enterprise_project_id=all_granted_eps&limit=200&registry_type=SwrPrivate", "", own},
		{"UpdateRegistry", "PUT", base + "/" + v.registry, `{"registry_username":"x","registry_password":"stolen"}`, absent},
		{"UpdateRegistry", "PUT", base + "/" + v.registry, `{"registry_addr":"127.0.0.1:9"}`, absent},
		{"DeleteRegistry", "DELETE", base + "/" + v.registry, "", absent},
		{"BatchDeleteRegistry", "POST", base + "/batch-delete", `{"ids":["` + v.registry + `"]}`, absent},
		{"CreateImageSynchronizeTask", "POST", "/v5/%s/image/image-sync/tasks", `{"sync_all_registries":false,"registry_info":[{"registry_id":"` + v.registry + `"}]}`, absent},
		{"CreateImageSynchronizeTask", "POST", "/v5/%s/image/image-sync/tasks", `{"sync_all_registries":true}`, own},
		{"ListAssociateRegistries", "GET", "/v5/%s/image/image-sync/tasks/" + v.syncTask + "/registries", "", absent},
		{"RunImageSynchronize", "POST", "/v5/%s/image/synchronize", `{"image_type":"private_image"}`, own},
		{"ListKubernetesClusterDetails", "GET", "/v5/%s/kubernetes/clusters", "", own},
		{"ListMultiCloudClusters", "GET", "/v5/%s/container/kubernetes/multi-cloud/clusters", "", own},
		{"ShowImageUploadCommand", "GET", base + "/image-upload-command?registry_addr=a.example&namespace=b&username=c&password=d", "", own},
		{"AddRegistry", "POST", base, add, free}, // the last, for nobody answers there
	}
}

// scanAttempts aim at tasks by id, and at images by id, name, digest and filter.
func scanAttempts(a, v *tenant) []attempt {
	app, front := v.image("app"), v.image("front")
	out := []attempt{
		{"ListImageScanTask", "GET", "/v5/%s/image/tasks?type=image_sync&task_id=" + v.syncTask, "", nothing},
		{"ListImageScanTask", "GET", "/v5/%s/image/tasks?type=image_scan&limit=200", "", own},
		{"CreateManualImageScanTask", "POST", "/v5/%s/image/image-scan/tasks", fmt.Sprintf(`{"image_info":[{"id":%d}]}`, app.ID), absent},
		{"CreateManualImageScanTask", "POST", "/v5/%s/image/image-scan/tasks", `{"image_info":[{"image_digest":"` + app.Digest + `"}]}`, absent},
		{"CreateManualImageScanTask", "POST", "/v5/%s/image/image-scan/tasks", fmt.Sprintf(`{"image_info":[{"registry_id":%q,"namespace":%q,"image_name":%q,"image_version":"v1"}]}`, v.registry, front.Namespace, front.Name), absent},
		{"CreateManualImageScanTask", "POST", "/v5/%s/image/image-scan/tasks", `{"image_info":[{"image_digest":"` + v.image("same").Digest + `"}]}`, own},
		{"CreateManualImageScanTask", "POST", "/v5/%s/image/image-scan/tasks", `{"is_all":true}`, own},
		{"BatchScanSwrImage", "POST", "/v5/%s/image/batch-scan", fmt.Sprintf(`{"image_type":"private_image","image_info_list":[{"namespace":%q,"image_name":"app","image_version":"v1"}]}`, v.name), absent},
		{"BatchScanSwrImage", "POST", "/v5/%s/image/batch-scan", `{"image_type":"private_image","operate_all":true}`, own},
	}
	for _, id := range v.scanTasks {
		out = append(out,
			attempt{"StopImageScanTask", "PUT", "/v5/%s/image/image-scan/tasks/" + id + "/stop", "", absent},
			attempt{"ListImageScanTask", "GET", "/v5/%s/image/tasks?type=image_scan&task_id=" + id, "", nothing})
	}
	return out
}

// imageAttempts read the image list and what is known of one image.
func imageAttempts(a, v *tenant) []attempt {
	const base = "/v5/%s/image/registries/images"
	out := []attempt{
		{"ListRegistryImages", "GET", base + "?namespace=" + v.name, "", nothing},
		{"ListRegistryImages", "GET", base + "?registry_name=harbor-" + v.name, "", nothing},
		{"ListRegistryImages", "GET", base + "?limit=200", "", own},
		{"ListImagePwdComplexity", "GET", "/v5/%s/image/baseline/password-complexity?namespace=" + v.name, "", nothing},
		{"ListImagePwdComplexity", "GET", "/v5/%s/image/baseline/password-complexity", "", own},
		{"ListImageWeakPwdUsers", "GET", "/v5/%s/image/baseline/weak-password-users?image_type=registry", "", own},
		{"ListImageBuildCommandRisks", "GET", "/v5/%s/image/build-command-risks?image_type=registry", "", own},
		{"ListImageBuildCommandRisksImages", "GET", "/v5/%s/image/build-command-risks/images?image_type=registry&rule_id=BW-BUILD-001", "", own},
		{"ListVulnerabilityCve", "GET", "/v5/%s/image/vulnerability/GHSA-tttt-eeee-nnnn/cve", "", own}, // advisories are nobody's
	}
	for _, i := range v.images {
		mine := i // the other's image under one's own names
		mine.Namespace = a.name
		for _, i := range []tenantImage{i, mine} {
			if i.Name == "same" && i.Namespace == a.name {
				continue // that one is the attacker's, too
			}
			for what, id := range map[string]string{
				"vulnerabilities": "ListImageVulnerabilities", "apps": "ListImageApps", "files": "ListImageFiles", "files-statistics": "ShowImageFilesStat",
				"malwares": "ListImageMalware", "sensitive": "ListImageSensitive", "non-compliant-app": "ListImageNonCompliantApp",
				"basic-image": "ListImageBasicImage", "report": "ShowImageReport",
			} {
				out = append(out, attempt{id, "GET", "/v5/%s" + strings.ReplaceAll(i.about(what), "%", "%%") + "&image_version=v1", "", absent})
			}
			if i.Name == "same" {
				continue // its image_id is the attacker's, too
			}
			out = append(out, attempt{"ListLocalImageAppInfo", "GET", "/v5/%s/image/local/apps?image_id=" + i.ImageID, "", absent})
			for what, id := range map[string]string{
				"statistic?": "ShowImageBaselineStatistic", "risk-configs?": "ListImageRiskConfigs", "risk-configs/Image/rules?standard=hw_standard&": "ListImageRiskConfigRules",
				"check-rule/detail?check_name=Image&check_type=Image&check_rule_id=BW-IMG-001&standard=hw_standard&": "ShowImageCheckRuleDetail",
			} {
				out = append(out, attempt{id, "GET", "/v5/%s/image/baseline/" + what + "image_type=private_image&image_id=" + i.ImageID, "", absent})
			}
		}
	}
	return out
}

// swrAttempts aim at the namespace, its repositories and tags.
func swrAttempts(a, v *tenant) []attempt {
	const base = "/v2/manage/namespaces"
	theirs := base + "/" + v.name
	return []attempt{
		{"CreateNamespace", "POST", base, `{"namespace":"` + v.name + `"}`, taken},
		{"ListNamespaces", "GET", base + "?namespace=" + v.name, "", nothing},
		{"ListNamespaces", "GET", base + "?filter=namespace::" + v.name, "", nothing},
		{"ListNamespaces", "GET", base, "", own},
		{"ShowNamespace", "GET", theirs, "", absent},
		{"DeleteNamespaces", "DELETE", theirs, "", absent},
		{"CreateRepo", "POST", theirs + "/repos", `{"repository":"new","is_public":true}`, absent},
		{"CreateRepo", "POST", theirs + "/repos?repository=app", "", absent},
		{"ListReposDetails", "GET", "/v2/manage/repos?namespace=" + v.name, "", nothing},
		{"ListReposDetails", "GET", "/v2/manage/repos", "", own},
		{"ShowRepository", "GET", theirs + "/repos/app", "", absent},
		{"UpdateRepo", "PATCH", theirs + "/repos/app", `{"is_public":true}`, absent},
		{"DeleteRepo", "DELETE", theirs + "/repos/app", "", absent},
		{"ListRepositoryTags", "GET", theirs + "/repos/app/tags", "", absent},
		{"DeleteRepoTag", "DELETE", theirs + "/repos/app/tags/v1", "", absent},
		{"CreateSecret", "POST", "/v2/manage/utils/secret?projectname=" + v.creds.ProjectName, "", absent},
		{"CreateSecret", "POST", "/v2/manage/utils/secret", "", own},
		{"ListApiVersions", "GET", "/", "", own},
		{"ShowApiVersion", "GET", "/v2", "", own},
	}
}

// iamAttempts ask for a token in the other's project, and for its name.
func iamAttempts(v *tenant) []attempt {
	other := v.estate.tenants[0]
	if other == v {
		other = v.estate.tenants[1]
	}
	return []attempt{
		{"CreateToken", "POST", "/v3/auth/tokens", other.passwordBody(v.creds.ProjectID), noEntry},
		{"ListProjects", "GET", "/v3/projects?name=" + v.creds.ProjectName, "", nothing},
		{"ListProjects", "GET", "/v3/projects", "", own},
		{"ListAuthProjects", "GET", "/v3/auth/projects", "", own},
		{"ListAuthDomains", "GET", "/v3/auth/domains", "", own},
	}
}

// bearer is a docker token for whatever scopes a asks for.
func (w *tenant) bearer(scopes ...string) string {
	q := url.Values{"service": {"breakwater"}, "scope": scopes}
	a := w.docker("GET", "/v2/token?"+q.Encode(), "")
	var out struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(a.body), &out); a.status != http.StatusOK || err != nil || out.Token == "" {
		w.estate.t.Fatalf("the docker token: %d %s", a.status, a.body)
	}
	return out.Token
}
