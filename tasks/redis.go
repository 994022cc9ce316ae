package tasks

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

const (
	redisUnit          = "redis-server.service"
	redisUser          = "redis" // the account of Debian's packages, and its group
	redisSocket        = "/run/redis/redis-server.sock"
	redisUsers         = "/etc/redis/users.d" // a file of each task's, which the unit joins to the one that Redis reads
	redisAdminPassword = secretsDirectory + "/redis-admin"
	redisGimelPassword = secretsDirectory + "/redis-gimel"
	keepRedisData      = "see that no data of Redis would be left behind"
)

// Redis is Debian's redis-server, as a store that loses nothing unasked.
func Redis() recipe.Task {
	return recipe.Task{
		Name:    "redis",
		Summary: "Redis on a unix socket: append-only file, users with passwords, no eviction",
		About: "Installs redis-server from Debian's package. It listens on the unix socket " + redisSocket + " and on no network unless bind names addresses. " +
			"The default user is off; admin may do everything, gimel may read and write the keys of gimel; their passwords are made on the host, in " + secretsDirectory + ". " +
			"Every write goes to an append-only file, and a full memory refuses writes instead of forgetting what is there.",
		Variables: redisVariables(),
		Parts:     []recipe.Part{redisUserPart()},
		Actions:   redisBackup().actions(),
		Build: func(in recipe.Input) (recipe.Recipe, error) {
			var r recipe.Recipe
			if err := addRedisConfiguration(&r, in.Vars); err != nil {
				return recipe.Recipe{}, err
			}
			addRedisPackage(&r)
			return r, addRedisService(&r, in.Vars)
		},
		Verify: verifyRedis,
		After: func(recipe.Input) []string {
			return []string{
				"Redis answers at " + redisSocket,
				`as admin: sudo sh -c 'REDISCLI_AUTH=$(cat ` + redisAdminPassword + `) redis-cli -s ` + redisSocket + ` --user admin'`,
			}
		},
	}
}

var memorySize = regexp.MustCompile(`^[1-9][0-9]{0,8}(mb|gb)$`)

func redisVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "appendfsync", Type: recipe.TypeString, Default: "everysec", Choices: []string{"everysec", "always"},
			Help: "When a write is on the disk. always: before it is answered, so what was acknowledged survives a killed Redis and a power cut. " +
				"everysec: about a second later, so a power cut takes the last second, and a killed Redis at the worst two; it answers faster.",
		},
		{
			Name: "maxmemory", Type: recipe.TypeString, Default: "512mb",
			Help: "The most memory that data may take, as 512mb or 4gb; beyond it writes are refused, and nothing is evicted. gimel takes about 12 bytes for each visitor and event.",
			Check: func(value any) error {
				if !memorySize.MatchString(value.(string)) {
					return fmt.Errorf("must be a size such as 512mb or 4gb")
				}
				return nil
			},
		},
		{
			Name: "bind", Type: recipe.TypeList, Check: eachOf(ipAddress),
			Help: "Addresses of the host at which Redis listens on TCP too, without encryption; with none it listens on its unix socket alone.",
		},
		{
			Name: "port", Type: recipe.TypeInt, Default: 6379, Check: between(1, 65535),
			Help: "The TCP port, where bind names an address.",
		},
	}
}

func ipAddress(name string) error {
	if address, err := netip.ParseAddr(name); err != nil || address.Zone() != "" {
		return fmt.Errorf("%q: must be an address such as 10.1.2.3", name)
	}
	return nil
}

// addRedisConfiguration makes account and directories as the packages' own scripts would
// (redis-tools.postinst, redis-server.postinst), and what Redis reads.
func addRedisConfiguration(r *recipe.Recipe, vars recipe.Values) error {
	r.Add(redisDataKept())
	r.Add(resource.User{Name: redisUser, Home: "/var/lib/redis"})
	r.Add(resource.Directory{Path: "/etc/redis", Attributes: recipe.Attributes{Mode: 0o2770, Owner: redisUser, Group: redisUser}})
	addSecretsDirectory(r)
	r.Add(resource.Secret{Path: redisAdminPassword}, restart(redisUnit)...)
	r.Add(resource.Secret{Path: redisGimelPassword}, restart(redisUnit)...)
	own := recipe.Attributes{Mode: 0o640, Owner: redisUser, Group: redisUser}
	r.Add(resource.Directory{Path: "/etc/systemd/system/redis-server.service.d"})
	err := addFiles(r, []filePart{{
		// Read by systemd alone: Redis need not restart for it.
		path: "/etc/systemd/system/redis-server.service.d/10-provision.conf", template: "redis/redis-server.service.conf.tmpl",
	}, {
		path: "/etc/redis/redis.conf", template: "redis/redis.conf.tmpl", attributes: own, notifies: restart(redisUnit),
		data: struct {
			Bind                   []string
			Port                   int
			AppendFsync, MaxMemory string
		}{vars.List("bind"), vars.Int("port"), vars.String("appendfsync"), vars.String("maxmemory")},
	}})
	if err != nil {
		return err
	}
	r.Add(redisUsersDirectory())
	// The default user is off, so nobody can be it; yet it has all permissions: Redis reads
	// its append-only file as this user, checks them for each transaction there (a script
	// is one), and goes on without those that fail (execCommand of Redis 7.0 and 8.0). A
	// file of users has no comments, so this stands here.
	const admin, gimel = "@ADMIN_PASSWORD@", "@GIMEL_PASSWORD@"
	users, err := rendered(redisUsers+"/00-provision.acl", "redis/users.acl.tmpl", struct{ AdminPassword, GimelPassword string }{admin, gimel})
	if err != nil {
		return err
	}
	users.Attributes = redisUsersAlone
	users.Fill = map[string]string{admin: redisAdminPassword, gimel: redisGimelPassword}
	r.Add(users, restart(redisUnit)...)
	return nil
}

// redisDataKept stops before a Redis with snapshots alone would be made one that reads only
// its append-only file, and so starts empty.
func redisDataKept() resource.Command {
	return resource.Command{
		Name:    keepRedisData,
		Changes: []recipe.Key{},
		Reads:   []recipe.Key{recipe.PathKey("/var/lib/redis/dump.rdb"), recipe.PathKey("/var/lib/redis/appendonlydir")},
		Unless:  "[ ! -s /var/lib/redis/dump.rdb ] || [ -d /var/lib/redis/appendonlydir ]",
		Script: `echo "/var/lib/redis/dump.rdb has data, and there is no append-only file: Redis would start without them." >&2
echo "Let the running Redis write one first: redis-cli CONFIG SET appendonly yes; or move dump.rdb away." >&2
exit 1`,
	}
}

func addRedisPackage(r *recipe.Recipe) {
	r.Add(resource.Package{Name: "redis-server", Brings: []recipe.Key{recipe.UnitKey(redisUnit)}, Restarts: []string{redisUnit}})
}

// addRedisService runs Redis, whose configuration nothing but a start can check.
func addRedisService(r *recipe.Recipe, vars recipe.Values) error {
	trial, err := templates.Render("redis/trial.sh.tmpl", nil)
	if err != nil {
		return err
	}
	listens := []string{redisSocket}
	for _, address := range vars.List("bind") {
		listens = append(listens, netip.AddrPortFrom(netip.MustParseAddr(address), uint16(vars.Int("port"))).String())
	}
	r.Add(resource.Service{Unit: redisUnit, Check: trial, Trees: []string{"/etc/redis"}, Listens: listens, Instead: "-e redis.port=6380"})
	return nil
}

// redisAs is the start of a command of redis-cli as one of the users, its password in no
// argument.
func redisAs(user, password string) string {
	return `REDISCLI_AUTH=$(cat ` + password + `) redis-cli -e --no-auth-warning -s ` + redisSocket + ` --user ` + user + ` `
}

func verifyRedis(in recipe.Input) ([]recipe.Check, error) {
	command := func(name, script, contains string) recipe.Check {
		return recipe.Check{
			Name: name, From: recipe.FromHost, Within: 10 * time.Second,
			Command: &recipe.CommandCheck{Script: script, Contains: contains},
		}
	}
	admin, gimel := redisAs("admin", redisAdminPassword), redisAs("gimel", redisGimelPassword)
	checks := []recipe.Check{
		command("Redis writes and reads", `key=provision:verify-$NONCE; `+admin+`set $key "is $NONCE" ex 60 && `+admin+`get $key && `+admin+`del $key`, "is $NONCE"),
		command("it syncs as it should", admin+"config get appendfsync", in.Vars.String("appendfsync")),
		command("it evicts nothing", admin+"config get maxmemory-policy", "noeviction"),
		command("gimel has its keys", gimel+"pfcount gimel:verify", "0"),
		command("and no others", gimel+"get provision:verify 2>&1 || echo refused", "refused"),
		command("nobody gets in without a password", "redis-cli -e -s "+redisSocket+" ping 2>&1 || echo refused", "refused"),
	}
	if len(in.Vars.List("bind")) == 0 && !isLoopback(in.Address) {
		port := strconv.Itoa(in.Vars.Int("port"))
		checks = append(checks, recipe.Check{
			Name: "port " + port + " is closed", From: recipe.FromController,
			TCP: &recipe.TCPCheck{Address: "$HOST:" + port, Closed: true},
		})
	}
	return checks, nil
}

// isLocalRedis reports whether a URL is that of the Redis that the task redis installs.
func isLocalRedis(url string) bool {
	return strings.HasSuffix(url, "@"+redisSocket) && strings.HasPrefix(url, "unix://")
}
