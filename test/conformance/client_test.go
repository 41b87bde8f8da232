package conformance

import (
	"errors"
	"net/http"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	hss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5"
	swr "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/swr/v2"
)

// clients are the official SDK's two clients, in one of the ways to sign in.
type clients struct {
	way string // a word that fits into names
	swr *swr.SwrClient
	hss *hss.HssClient
}

// withToken sends a token in the place of the signature that the SDK made.
type withToken struct{}

func (withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	r.Header.Del("X-Sdk-Date")
	r.Header.Set("X-Auth-Token", token)
	return http.DefaultTransport.RoundTrip(r)
}

// each runs f signed with the access key, with a token, and with a client that
// finds its project by the name of its region.
func each(t *testing.T, f func(t *testing.T, c clients)) {
	t.Helper()
	signed := func() *basic.Credentials {
		return basic.NewCredentialsBuilder().WithAk(creds.AccessKey).WithSk(creds.SecretKey).WithProjectId(creds.ProjectID).Build()
	}
	t.Run("signature", func(t *testing.T) {
		f(t, clients{
			"signature",
			swr.NewSwrClient(swr.SwrClientBuilder().WithEndpoint(creds.Endpoint).WithCredential(signed()).Build()),
			hss.NewHssClient(hss.HssClientBuilder().WithEndpoint(creds.Endpoint).WithCredential(signed()).Build()),
		})
	})
	t.Run("token", func(t *testing.T) {
		http := config.DefaultHttpConfig().WithHttpRoundTripper(withToken{})
		f(t, clients{
			"token",
			swr.NewSwrClient(swr.SwrClientBuilder().WithEndpoint(creds.Endpoint).WithCredential(signed()).WithHttpConfig(http).Build()),
			hss.NewHssClient(hss.HssClientBuilder().WithEndpoint(creds.Endpoint).WithCredential(signed()).WithHttpConfig(http).Build()),
		})
	})
	t.Run("region", func(t *testing.T) {
		here := region.NewRegion(creds.ProjectName, creds.Endpoint)
		looked := func() *basic.Credentials {
			return basic.NewCredentialsBuilder().WithAk(creds.AccessKey).WithSk(creds.SecretKey).WithIamEndpointOverride(creds.Endpoint).Build()
		}
		f(t, clients{
			"region",
			swr.NewSwrClient(swr.SwrClientBuilder().WithRegion(here).WithCredential(looked()).Build()),
			hss.NewHssClient(hss.HssClientBuilder().WithRegion(here).WithCredential(looked()).Build()),
		})
	})
}

// refused holds an error of the SDK against the status and the code it must carry.
func refused(t *testing.T, what string, err error, status int, code string) {
	t.Helper()
	var e *sdkerr.ServiceResponseError
	if !errors.As(err, &e) {
		t.Errorf("%s: %v is not an answer of the service", what, err)
		return
	}
	if e.StatusCode != status || e.ErrorCode != code || e.ErrorMessage == "" || e.RequestId == "" {
		t.Errorf("%s: status %d, code %s, message %q, request %q; want %d %s", what, e.StatusCode, e.ErrorCode, e.ErrorMessage, e.RequestId, status, code)
	}
}

// to is the address of a value, as the SDK's optional fields want it.
func to[T any](v T) *T { return &v }

// val is what an optional field holds; the zero value where it is absent.
func val[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
