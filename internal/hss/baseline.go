package hss

import (
	"cmp"
	"context"
	"slices"

	"breakwater"
	"breakwater/internal/audit"
	"breakwater/internal/store"
)

type showImageBaselineStatisticIn struct {
	ImageType  string `query:"image_type"`
	Namespace  string `query:"namespace"`
	Name       string `query:"image_name"`
	Version    string `query:"image_version"`
	InstanceID string `query:"instance_id"`
	ImageID    string `query:"image_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

// baselineStatistic counts weak passwords, demands on passwords that are not
// made, and baseline rules that fail.
type baselineStatistic struct {
	Weak   int `json:"image_weak_pwd"`
	Policy int `json:"pwd_policy"`
	Check  int `json:"security_check"`
}

func (s *Server) showImageBaselineStatistic(ctx context.Context, in showImageBaselineStatisticIn) (out baselineStatistic, err error) {
	row, err := s.anyImage(ctx, imageName{in.ImageID, in.ImageType, in.Namespace, in.Name, in.Version, in.InstanceID})
	if err != nil {
		return out, err
	}
	found, err := s.db.Findings(ctx, row.Digest, breakwater.CheckBaseline)
	if err != nil {
		return out, err
	}
	for _, f := range found {
		if f.Rule == audit.RuleWeakPassword {
			out.Weak++
		}
	}
	results, err := s.baseline(ctx, row)
	if err != nil {
		return out, err
	}
	for _, r := range results {
		if !r.Passed {
			out.Check++
		}
	}
	p, err := s.policy(ctx, row)
	if err != nil || !p.Present {
		return out, err
	}
	for _, made := range []bool{p.MinLength, p.Upper, p.Lower, p.Digit, p.Special} {
		if !made {
			out.Policy++
		}
	}
	return out, nil
}

// ruled is a baseline rule and what it says of an image.
type ruled struct {
	audit.BaselineRule
	breakwater.BaselineResult
}

// baseline is what each baseline rule says of an image now: of a multi-arch
// image a rule passes when it passes on every platform.
func (s *Server) baseline(ctx context.Context, row store.ImageRow) ([]ruled, error) {
	inventories, err := s.inventories(ctx, row)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var out []ruled
	for _, inv := range inventories {
		for _, r := range s.opts.Audit.Baseline(inv) {
			rule, err := s.opts.Audit.BaselineRule(r.Rule)
			if err != nil {
				continue
			}
			i, seen := at[r.Rule]
			if !seen {
				at[r.Rule] = len(out)
				out = append(out, ruled{rule, r})
				continue
			}
			out[i].Passed = out[i].Passed && r.Passed
			out[i].Cases = append(out[i].Cases, r.Cases...)
		}
	}
	return out, nil
}

func (r ruled) in(standard string) bool {
	return standard == "" || slices.Contains(r.Standards, standard)
}

// level is the severity in the words of the baseline operations; Security for a
// rule that passes.
func (r ruled) level() breakwater.Level {
	if r.Passed {
		return breakwater.LevelSecurity
	}
	return r.Severity.Level()
}

type listImageRiskConfigsIn struct {
	Offset     int    `query:"offset"`
	Limit      int    `query:"limit"`
	ImageType  string `query:"image_type"`
	Namespace  string `query:"namespace"`
	Name       string `query:"image_name"`
	Version    string `query:"image_version"`
	ImageID    string `query:"image_id"`
	CheckName  string `query:"check_name"`
	Severity   string `query:"severity"`
	Standard   string `query:"standard"`
	InstanceID string `query:"instance_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageRiskConfigsOut struct {
	Total int          `json:"total_num"`
	List  []riskConfig `json:"data_list"`
}

type riskConfig struct {
	Severity  string `json:"severity"`
	CheckName string `json:"check_name"`
	CheckType string `json:"check_type"`
	Standard  string `json:"standard"`
	Rules     int    `json:"check_rule_num"`
	Failed    int    `json:"failed_rule_num"`
	Desc      string `json:"check_type_desc"`
}

// listImageRiskConfigs is the groups of baseline rules that have something to
// look at in the image, for each standard, the worst first.
func (s *Server) listImageRiskConfigs(ctx context.Context, in listImageRiskConfigsIn) (out listImageRiskConfigsOut, err error) {
	out.List = []riskConfig{}
	row, err := s.anyImage(ctx, imageName{in.ImageID, in.ImageType, in.Namespace, in.Name, in.Version, in.InstanceID})
	if err != nil {
		return out, err
	}
	results, err := s.baseline(ctx, row)
	if err != nil {
		return out, err
	}
	type key struct{ group, standard string }
	groups := map[key]*riskConfig{}
	for _, r := range results {
		for _, standard := range r.Standards {
			k := key{r.Group, standard}
			g := groups[k]
			if g == nil {
				g = &riskConfig{Severity: string(breakwater.LevelSecurity), CheckName: r.Group, CheckType: r.CheckType, Standard: standard, Desc: audit.GroupDescription(r.Group)}
				groups[k] = g
			}
			g.Rules++
			if !r.Passed {
				g.Failed++
			}
			if rank(r.level()) > rank(breakwater.Level(g.Severity)) {
				g.Severity = string(r.level())
			}
		}
	}
	var all []riskConfig
	for _, g := range groups {
		if in.CheckName != "" && in.CheckName != g.CheckName || in.Severity != "" && in.Severity != g.Severity || in.Standard != "" && in.Standard != g.Standard {
			continue
		}
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b riskConfig) int {
		return cmp.Or(rank(breakwater.Level(b.Severity))-rank(breakwater.Level(a.Severity)), cmp.Compare(a.CheckName, b.CheckName), cmp.Compare(a.Standard, b.Standard))
	})
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}

func rank(l breakwater.Level) int {
	return slices.Index([]breakwater.Level{breakwater.LevelSecurity, breakwater.LevelLow, breakwater.LevelMedium, breakwater.LevelHigh}, l)
}

type listImageRiskConfigRulesIn struct {
	CheckName  string `path:"check_name"`
	Offset     int    `query:"offset"`
	Limit      int    `query:"limit"`
	ImageType  string `query:"image_type"`
	Namespace  string `query:"namespace"`
	Name       string `query:"image_name"`
	Version    string `query:"image_version"`
	ImageID    string `query:"image_id"`
	Standard   string `query:"standard"`
	ResultType string `query:"result_type"`
	RuleName   string `query:"check_rule_name"`
	Severity   string `query:"severity"`
	InstanceID string `query:"instance_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageRiskConfigRulesOut struct {
	Total int        `json:"total_num"`
	List  []riskRule `json:"data_list"`
}

type riskRule struct {
	Severity  string `json:"severity"`
	CheckName string `json:"check_name"`
	CheckType string `json:"check_type"`
	Standard  string `json:"standard"`
	Name      string `json:"check_rule_name"`
	ID        string `json:"check_rule_id"`
	Result    string `json:"scan_result"`
}

// listImageRiskConfigRules is the rules of one group, failed ones first. Their
// severity is the rule's own, whether it passes or not; Critical is High here, as
// in the answer.
func (s *Server) listImageRiskConfigRules(ctx context.Context, in listImageRiskConfigRulesIn) (out listImageRiskConfigRulesOut, err error) {
	row, err := s.anyImage(ctx, imageName{in.ImageID, in.ImageType, in.Namespace, in.Name, in.Version, in.InstanceID})
	if err != nil {
		return out, err
	}
	results, err := s.baseline(ctx, row)
	if err != nil {
		return out, err
	}
	var all []riskRule
	for _, r := range results {
		severity := string(r.Severity.Level())
		wanted := in.Severity == "" || in.Severity == severity || in.Severity == "Critical" && r.Severity == breakwater.SeverityCritical
		if r.Group != in.CheckName || !r.in(in.Standard) || !wanted || in.RuleName != "" && in.RuleName != r.Title {
			continue
		}
		one := riskRule{severity, r.Group, r.CheckType, in.Standard, r.Title, r.ID, "failed"}
		if r.Passed {
			one.Result = "pass"
		}
		if in.ResultType == "" || in.ResultType == one.Result {
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b riskRule) int { return cmp.Compare(a.Result, b.Result) }) // "failed" < "pass"
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}

type showImageCheckRuleDetailIn struct {
	ImageType  string `query:"image_type"`
	Namespace  string `query:"namespace"`
	Name       string `query:"image_name"`
	Version    string `query:"image_version"`
	ImageID    string `query:"image_id"`
	CheckName  string `query:"check_name"`
	CheckType  string `query:"check_type"`
	Rule       string `query:"check_rule_id"`
	Standard   string `query:"standard"`
	InstanceID string `query:"instance_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type checkRuleDetail struct {
	Description string      `json:"description"`
	Reference   string      `json:"reference"`
	Audit       string      `json:"audit"`
	Remediation string      `json:"remediation"`
	Cases       []checkCase `json:"check_info_list"`
}

type checkCase struct {
	Description string `json:"check_description"`
	Current     string `json:"current_value"`
	Suggest     string `json:"suggest_value"`
}

// showImageCheckRuleDetail is one rule and what it compared in the image.
func (s *Server) showImageCheckRuleDetail(ctx context.Context, in showImageCheckRuleDetailIn) (out checkRuleDetail, err error) {
	row, err := s.anyImage(ctx, imageName{in.ImageID, in.ImageType, in.Namespace, in.Name, in.Version, in.InstanceID})
	if err != nil {
		return out, err
	}
	results, err := s.baseline(ctx, row)
	if err != nil {
		return out, err
	}
	for _, r := range results {
		if r.ID != in.Rule || r.Group != in.CheckName || r.CheckType != in.CheckType || !r.in(in.Standard) {
			continue
		}
		out = checkRuleDetail{Description: r.Description, Reference: r.Reference, Audit: r.Audit, Remediation: r.Remediation, Cases: []checkCase{}}
		for _, c := range r.Cases {
			out.Cases = append(out.Cases, checkCase{c.Description, c.Current, c.Suggest})
		}
		return out, nil
	}
	return out, breakwater.NotFound("rule of this image")
}
