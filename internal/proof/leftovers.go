package proof

import (
	"context"
	"strings"
)

// Leftovers lists what a run that is over must not leave on a host: temporaries, a lock that is held, a
// policy against starting services, notifications that wait.
func Leftovers(ctx context.Context, host Host) ([]string, error) {
	said, err := host.Run(ctx, `cd /var/lib/provision 2>/dev/null || exit 0
find / -xdev \( -name '.provision-*' ! -name .provision-migrated -o -name '*.provision' -o -name '*.provision-new' \) -print
for f in temporaries holder policy-held policy-kept daemon-reload pending/* pending/.new runs/*/open runs/*/rehearse* /usr/sbin/policy-rc.d; do [ ! -e "$f" ] && [ ! -L "$f" ] || echo "$f"; done
flock -n lock true || echo lock`, "")
	return strings.Fields(said), err
}
