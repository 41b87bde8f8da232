package conformance

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
)

// failing are the baseline rules that the planted image breaks, by group: what
// they say of themselves stands in the rule packs.
var failing = map[string][]string{
	"Accounts": {"BW-ACC-019"}, // alice and bob
	"Image":    {"BW-IMG-001"}, // no USER
	"Login":    {"BW-LOGIN-001", "BW-LOGIN-002", "BW-LOGIN-003", "BW-LOGIN-004", "BW-LOGIN-005"},
	"PAM":      {"BW-PAM-001", "BW-PAM-002", "BW-PAM-003", "BW-PAM-004", "BW-PAM-005", "BW-PAM-006", "BW-PAM-007", "BW-PAM-011", "BW-PAM-012"},
	// 007, 016, 019 and 020 by what the server does when nothing is said.
	"SSH":   {"BW-SSH-001", "BW-SSH-003", "BW-SSH-004", "BW-SSH-005", "BW-SSH-006", "BW-SSH-007", "BW-SSH-016", "BW-SSH-019", "BW-SSH-020"},
	"Files": nil,
}

// national are those of them that cn_standard has too.
var national = "BW-ACC-019 BW-IMG-001 BW-LOGIN-001 BW-LOGIN-003 BW-LOGIN-004 BW-LOGIN-005 BW-PAM-001 BW-PAM-002 BW-PAM-003 BW-PAM-004 BW-PAM-005 BW-PAM-007 BW-PAM-012 BW-SSH-001 BW-SSH-003 BW-SSH-006 BW-SSH-016"

var standards = []string{"hw_standard", "cn_standard"}

// broken are the failing rules of a group and a standard.
func broken(group, standard string) (out []string) {
	for _, rule := range failing[group] {
		if standard == "hw_standard" || strings.Contains(national, rule) {
			out = append(out, rule)
		}
	}
	return out
}

func (w *world) riskConfigs(t *testing.T, what string, x target, change func(*model.ListImageRiskConfigsRequest)) []model.ImageRiskConfigsInfoResponseInfo {
	t.Helper()
	return list(t, what, func(offset, limit *int32) (int, *[]model.ImageRiskConfigsInfoResponseInfo, error) {
		r := &model.ListImageRiskConfigsRequest{ImageType: "private_image", Namespace: to(results), ImageName: to(x.name), ImageVersion: to(x.tag), Offset: offset, Limit: limit}
		change(r)
		out, err := w.c.hss.ListImageRiskConfigs(r)
		if err != nil {
			return 0, nil, err
		}
		return int(val(out.TotalNum)), out.DataList, nil
	})
}

// rules are those of a group; the contract gives their list no limit of its own.
func (w *world) rules(t *testing.T, what string, x target, group, standard string, change func(*model.ListImageRiskConfigRulesRequest)) []model.ImageRiskConfigsCheckRulesResponseInfo {
	t.Helper()
	return pages(t, what, 1000, func(offset, limit *int32) (int, *[]model.ImageRiskConfigsCheckRulesResponseInfo, error) {
		r := &model.ListImageRiskConfigRulesRequest{ImageType: "private_image", Namespace: to(results), ImageName: to(x.name), ImageVersion: to(x.tag), CheckName: group, Standard: standard, Offset: offset, Limit: limit}
		change(r)
		out, err := w.c.hss.ListImageRiskConfigRules(r)
		if err != nil {
			return 0, nil, err
		}
		return int(val(out.TotalNum)), out.DataList, nil
	})
}

func ruleID(r model.ImageRiskConfigsCheckRulesResponseInfo) string { return val(r.CheckRuleId) }

func testRiskConfigs(t *testing.T, w *world) {
	key := func(g model.ImageRiskConfigsInfoResponseInfo) string {
		return strings.Join([]string{val(g.CheckName), val(g.Standard), val(g.Severity), strconv.Itoa(int(val(g.FailedRuleNum)))}, " ")
	}
	levels := map[string]string{"Accounts": "High", "Image": "Medium", "Login": "Medium", "PAM": "High", "SSH": "High", "Files": "Security"}
	some := func(word string) (out []string) {
		for group, level := range levels {
			for _, standard := range standards {
				if line := strings.Join([]string{group, standard, level, strconv.Itoa(len(broken(group, standard)))}, " "); strings.Contains(line, word) {
					out = append(out, line)
				}
			}
		}
		return out
	}
	all := func(*model.ListImageRiskConfigsRequest) {}
	got := w.riskConfigs(t, "planted", w.planted, all)
	set(t, "planted", got, key, some("")...)
	order := []string{"High", "Medium", "Low", "Security"}
	at := 0
	for _, g := range got {
		for at < len(order) && order[at] != val(g.Severity) {
			at++
		}
		if at == len(order) || val(g.CheckType) == "" || val(g.CheckTypeDesc) == "" {
			t.Errorf("not the worst first, or without a type: %v", got)
		}
		n := w.rules(t, "rules of "+val(g.CheckName), w.planted, val(g.CheckName), val(g.Standard), func(*model.ListImageRiskConfigRulesRequest) {})
		if int(val(g.CheckRuleNum)) != len(n) {
			t.Errorf("%v has %d rules", g, len(n))
		}
	}
	byID := func(r *model.ListImageRiskConfigsRequest) {
		r.ImageId, r.Namespace, r.ImageName, r.ImageVersion = to(w.planted.id), nil, nil, nil
	}
	set(t, "image_id alone", w.riskConfigs(t, "image_id", w.planted, byID), key, some("")...)
	for _, severity := range append(order, "Low") {
		set(t, severity, w.riskConfigs(t, severity, w.planted, func(r *model.ListImageRiskConfigsRequest) { r.Severity = to(severity) }), key, some(" "+severity+" ")...)
	}
	for _, standard := range standards {
		set(t, standard, w.riskConfigs(t, standard, w.planted, func(r *model.ListImageRiskConfigsRequest) { r.Standard = to(standard) }), key, some(standard)...)
	}
	set(t, "check_name", w.riskConfigs(t, "check_name", w.planted, func(r *model.ListImageRiskConfigsRequest) { r.CheckName = to("PAM") }), key, some("PAM")...)
	for _, g := range w.riskConfigs(t, "clean", w.clean, all) {
		if val(g.Severity) != "Security" || val(g.FailedRuleNum) != 0 || val(g.CheckRuleNum) == 0 || len(failing[val(g.CheckName)]) == 0 && val(g.CheckName) != "Files" {
			t.Errorf("clean: %v", g)
		}
	}
}

func testRiskConfigRules(t *testing.T, w *world) {
	all := func(*model.ListImageRiskConfigRulesRequest) {}
	fails := func(r *model.ListImageRiskConfigRulesRequest) { r.ResultType = to("failed") }
	for group := range failing {
		for _, standard := range standards {
			what := group + " " + standard
			rules := w.rules(t, what, w.planted, group, standard, all)
			var passing []string
			for i, r := range rules {
				if val(r.CheckName) != group || val(r.Standard) != standard || val(r.CheckType) == "" || val(r.CheckRuleName) == "" {
					t.Errorf("%s: %v", what, r)
				}
				if val(r.ScanResult) == "pass" {
					passing = append(passing, ruleID(r))
				} else if i > 0 && val(rules[i-1].ScanResult) == "pass" {
					t.Errorf("%s: what failed is not first: %v", what, rules)
				}
			}
			set(t, what+" failed", w.rules(t, what, w.planted, group, standard, fails), ruleID, broken(group, standard)...)
			set(t, what+" pass", w.rules(t, what, w.planted, group, standard, func(r *model.ListImageRiskConfigRulesRequest) { r.ResultType = to("pass") }), ruleID, passing...)
			set(t, what+" of clean", w.rules(t, what, w.clean, group, standard, fails), ruleID)
		}
	}
	for severity, want := range map[string][]string{
		"Critical": {"BW-SSH-003"}, "High": {"BW-SSH-001", "BW-SSH-003"}, "Medium": {"BW-SSH-004"}, "Security": nil,
		"Low": {"BW-SSH-005", "BW-SSH-006", "BW-SSH-007", "BW-SSH-016", "BW-SSH-019", "BW-SSH-020"},
	} {
		set(t, "severity "+severity, w.rules(t, severity, w.planted, "SSH", "hw_standard", func(r *model.ListImageRiskConfigRulesRequest) { fails(r); r.Severity = to(severity) }), ruleID, want...)
	}
	set(t, "check_rule_name", w.rules(t, "name", w.planted, "SSH", "hw_standard", func(r *model.ListImageRiskConfigRulesRequest) {
		r.CheckRuleName = to("root cannot log in with a password over SSH")
	}), ruleID, "BW-SSH-001")
	set(t, "a group that is not there", w.rules(t, "none", w.planted, "Nothing", "hw_standard", all), ruleID)
	set(t, "image_id alone", w.rules(t, "image_id", w.planted, "Image", "hw_standard", func(r *model.ListImageRiskConfigRulesRequest) {
		fails(r)
		r.ImageId, r.Namespace, r.ImageName, r.ImageVersion = to(w.planted.id), nil, nil, nil
	}), ruleID, "BW-IMG-001")
}

func testRuleDetail(t *testing.T, w *world) {
	ask := func(x target, group, rule, standard string) (*model.ShowImageCheckRuleDetailResponse, error) {
		return w.c.hss.ShowImageCheckRuleDetail(&model.ShowImageCheckRuleDetailRequest{ImageType: "private_image", Namespace: to(results), ImageName: to(x.name), ImageVersion: to(x.tag),
			CheckName: group, CheckType: group, CheckRuleId: rule, Standard: standard})
	}
	for group, rules := range failing {
		for _, rule := range rules {
			out, err := ask(w.planted, group, rule, "hw_standard")
			if err != nil || val(out.Description) == "" || val(out.Reference) == "" || val(out.Audit) == "" || val(out.Remediation) == "" || len(val(out.CheckInfoList)) == 0 {
				t.Errorf("%s: %v %v", rule, out, err)
				continue
			}
			for _, c := range val(out.CheckInfoList) {
				if val(c.CheckDescription) == "" || val(c.CurrentValue) == "" || val(c.SuggestValue) == "" {
					t.Errorf("%s: %v", rule, c)
				}
			}
			if _, err := ask(w.planted, group, rule, "cn_standard"); (err == nil) != strings.Contains(national, rule) {
				t.Errorf("%s of cn_standard: %v", rule, err)
			}
		}
	}
	for rule, current := range map[string][2]string{
		"BW-SSH-001": {"SSH", "yes"}, "BW-SSH-006": {"SSH", "10"}, "BW-LOGIN-001": {"Login", "99999"}, "BW-LOGIN-005": {"Login", "MD5"}, "BW-PAM-012": {"PAM", "md5"}, "BW-ACC-019": {"Accounts", "alice"},
	} {
		out, err := ask(w.planted, current[0], rule, "hw_standard")
		if err != nil || !strings.Contains(out.String(), current[1]) {
			t.Errorf("%s does not say %s: %v %v", rule, current[1], out, err)
		}
	}
	if out, err := ask(w.clean, "SSH", "BW-SSH-001", "hw_standard"); err != nil || !strings.Contains(out.String(), `"current_value":"PermitRootLogin no"`) {
		t.Errorf("a rule that passes: %v %v", out, err)
	}
	_, err := ask(w.planted, "PAM", "BW-SSH-001", "hw_standard")
	refused(t, "a rule of another group", err, http.StatusBadRequest, "HSS.0011")
}

func testStatistic(t *testing.T, w *world) {
	for _, tc := range []struct {
		image                 target
		weak, policy, failing int32
	}{{w.planted, 2, 5, 25}, {w.clean, 0, 0, 0}, {w.oldBase, 0, 0, 1}, {w.newBase, 0, 0, 1}} {
		for what, r := range map[string]*model.ShowImageBaselineStatisticRequest{
			"names":    {ImageType: "private_image", Namespace: to(results), ImageName: to(tc.image.name), ImageVersion: to(tc.image.tag)},
			"image_id": {ImageType: "registry", ImageId: to(tc.image.id)},
		} {
			out, err := w.c.hss.ShowImageBaselineStatistic(r)
			if err != nil || val(out.ImageWeakPwd) != tc.weak || val(out.PwdPolicy) != tc.policy || val(out.SecurityCheck) != tc.failing {
				t.Errorf("%s by %s: %v %v, want %v", tc.image.tag, what, out, err, tc)
			}
		}
	}
}
