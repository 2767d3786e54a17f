package server

import (
	"context"

	api "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/policy"
)

func (m *adminMethods) Rights(ctx context.Context, c api.VarlinkCall) error {
	k := callOf(ctx)
	if k.peer.UID == 0 {
		return c.ReplyRights(ctx, true, policy.DelegateActions())
	}
	may := []string{}
	for _, action := range policy.DelegateActions() {
		ok, err := anyDelegate(action).holds(m.server, k)
		if err != nil {
			return m.server.fail(ctx, c.Call, k, err)
		}
		if ok {
			may = append(may, action)
		}
	}
	return c.ReplyRights(ctx, false, may)
}
