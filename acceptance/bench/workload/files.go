package workload

import "provision/internal/recipe"

// What is in its files, as in examples/workload.
const (
	env = `DOMAIN={{ lineValue .domain }}
TOKEN={{ .token }}
`
	limits = `workers = {{ .workers }}
`
	queue = `[{{ iniName .name }}]
workers = {{ .workers }}
`
	program = `#!/bin/sh
# Tells how many queues it works on, and waits.
echo "$DOMAIN: $(ls /etc/app/queues | wc -l) queues" >/var/lib/app/index.html
exec sleep infinity
`
	service = `[Unit]
Description=An application with queues
After=network.target

[Service]
User=app
EnvironmentFile=/etc/app/env
ExecStart=/usr/local/bin/app
Restart=on-failure

[Install]
WantedBy=multi-user.target
`
	page = `server {
	listen 80;
	server_name {{ nginxValue .domain }};
	root /var/lib/app;
}
`
)

func restart(unit string) recipe.Notification {
	return recipe.Notification{Unit: unit, Action: recipe.Restart}
}

func reload(unit string) recipe.Notification {
	return recipe.Notification{Unit: unit, Action: recipe.Reload}
}
