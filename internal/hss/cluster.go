package hss

import (
	"context"

	"breakwater"
)

type listKubernetesClusterDetailsIn struct {
	Offset int    `query:"offset"`
	Limit  int    `query:"limit"`
	Name   string `query:"cluster_name"`

	_ struct{} `ignore:"enterprise_project_id,load_agent_info,scene"`
}

type listKubernetesClusterDetailsOut struct {
	Total int             `json:"total_num"`
	List  []clusterDetail `json:"cluster_info_list"`
}

// clusterDetail is a cluster of the long list. The built-in executor has no
// nodes and no agents to count, so it says nothing of them.
type clusterDetail struct {
	ID      string `json:"id"`
	Name    string `json:"cluster_name"`
	Cluster string `json:"cluster_id"`
	Status  string `json:"status"`
	Version string `json:"version"`
}

// listKubernetesClusterDetails shows the one cluster there is: the built-in executor.
func (s *Server) listKubernetesClusterDetails(_ context.Context, in listKubernetesClusterDetailsIn) (out listKubernetesClusterDetailsOut, err error) {
	const local = breakwater.LocalCluster
	out.List = []clusterDetail{}
	if in.Name != "" && in.Name != local {
		return out, nil
	}
	out.Total = 1
	if in.Offset == 0 {
		out.List = append(out.List, clusterDetail{ID: local, Name: local, Cluster: local, Status: "Available", Version: s.opts.Version})
	}
	return out, nil
}

type listMultiCloudClustersIn struct {
	ID     string `query:"cluster_id"`
	Offset int    `query:"offset"`
	Limit  int    `query:"limit"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listMultiCloudClustersOut struct {
	Total int                 `json:"total_num"`
	List  []multiCloudCluster `json:"data_list"`
}

type multiCloudCluster struct {
	ID       string `json:"cluster_id"`
	Name     string `json:"cluster_name"`
	Provider string `json:"provider"`
	Server   string `json:"server"`
	Repo     string `json:"image_repo"`
	Status   string `json:"status"`
	Version  string `json:"version"`
}

func (s *Server) listMultiCloudClusters(_ context.Context, in listMultiCloudClustersIn) (out listMultiCloudClustersOut, err error) {
	const local = breakwater.LocalCluster
	out.List = []multiCloudCluster{}
	if in.ID != "" && in.ID != local {
		return out, nil
	}
	out.Total = 1
	if in.Offset == 0 {
		out.List = append(out.List, multiCloudCluster{
			ID: local, Name: local, Provider: "breakwater", Server: s.endpoint.String(), Repo: s.endpoint.Host,
			Status: "connect_success", Version: s.opts.Version,
		})
	}
	return out, nil
}
