package run

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"provision/internal/recipe"
)

// variousLooks is a task that looks at this or that of its host: at what, that goes by a variable.
const variousLooks = `
-- tasks/many.star --
variables = [var("name", str), var("token", secret), var("look", str), var("list", list, default = [])]
facts = [fact("kernel", "uname -r"), fact("disks", "lsblk", guess = "sda")]

def build(v, host):
    text = "look " + v.look
    if v.look == "name":
        text += v.name + host.name
    elif v.look == "group":
        text += ",".join(host.groups) + ",".join(v.list)
    elif v.look == "token":
        text += "it is " + v.token if v.token else "there is none"
    elif v.look == "facts":
        text += host.facts.kernel + (host.facts.disks if host.facts.kernel == "6.1" else "")
    elif v.look == "platform":
        text += "%d %s" % (host.cpus, host.codename)
    elif v.look == "itself":
        text += str(host)
    elif v.look == "peers":
        text += ",".join([p.name + getattr(p.exports, "ca", "none") for p in host.peers()])
    return [file("/etc/text", text), command("c", text if v.look != "token" else "true", unless = "test -e /x")]

exports = [export("ca", "/etc/ca")]

def verify(v, host):
    return [runs("echo " + host.address)] if v.look == "address" else []
`

// looks are what it may look at.
var looks = []string{"nothing", "name", "group", "token", "facts", "platform", "itself", "peers", "address"}

// somehow is a host that differs from others in a few things, or in none.
func somehow(random *rand.Rand, task recipe.Task, look string) (Blueprint, *Known) {
	of := func(words ...string) string { return words[random.IntN(len(words))] }
	host := recipe.Listed{Name: of("web1", "web2"), Address: of("192.0.2.1", "192.0.2.2"), Groups: []string{of("a", "b")}}
	values := recipe.Values{
		"name": of("x", "x", "y"), "token": recipe.NewSecret(of("", "correct", "correct")), "list": []string{"1"}, "look": look,
	}
	platform := recipe.Platforms()[random.IntN(4)]
	platform.CPUs = random.IntN(2)
	peers := []recipe.Peer{{Listed: recipe.Listed{Name: of("p", "q")}}}
	b := Blueprint{
		Tasks: []recipe.Task{task}, Values: map[string]recipe.Values{"many": values}, Host: host,
		Peers: func(string) ([]recipe.Peer, error) { return peers, nil },
	}
	if random.IntN(3) == 0 {
		return b, nil
	}
	return b, &Known{Platform: platform, Said: map[string]string{"many.kernel": of("6.1", "6.12"), "many.disks": of("sda", "vda")}}
}

// What hosts share that are alike is what each of them would have got by itself: the recipe, what is to be
// asked, and what builds wanted to know.
func TestAlikeHostsGetWhatEachWould(t *testing.T) {
	task, builds := projectOf(t, variousLooks).Tasks()[0], 0
	counted := task
	counted.Build = func(in recipe.Input) (recipe.Recipe, error) {
		builds++
		return task.Build(in)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var shared *alike
	var look string
	const hosts, batch = 2000, 2 * mostAlike
	for host := range hosts {
		if host%batch == 0 { // what is kept is not all of the first ones' then
			shared, look = new(alike), looks[host/batch%len(looks)]
		}
		b, known := somehow(random, task, look)
		want := b.prepare(known, nil, nil)
		b.Tasks = []recipe.Task{counted}
		got := b.prepare(known, nil, shared)
		if !reflect.DeepEqual(got.probes, want.probes) || fmt.Sprint(got.failed, got.unknown) != fmt.Sprint(want.failed, want.unknown) {
			t.Fatalf("host %d: it is asked %v (%v, %v), and by itself %v (%v, %v)", host, got.probes, got.failed, got.unknown, want.probes, want.failed, want.unknown)
		}
		if !reflect.DeepEqual(got.asking.asked, want.asking.asked) || !reflect.DeepEqual(got.asking.given, want.asking.given) || !reflect.DeepEqual(got.asking.exports, want.asking.exports) {
			t.Fatalf("host %d: builds are told %v %v, and by itself %v %v", host, got.asking.given, got.asking.exports, want.asking.given, want.asking.exports)
		}
		if known == nil {
			continue
		}
		if !reflect.DeepEqual(got.asking.guessed.Recipe, want.asking.guessed.Recipe) {
			t.Fatalf("host %d: %v, and by itself %v", host, got.asking.guessed.Recipe, want.asking.guessed.Recipe)
		}
	}
	if builds > hosts {
		t.Errorf("%d builds for %d hosts", builds, hosts)
	}
}

// Questions of one name are not the same for that, and of hosts that all differ no list is kept.
func TestMergedQuestions(t *testing.T) {
	shared := new(alike)
	question := func(script string) []recipe.Probe {
		return []recipe.Probe{{Key: recipe.Question("kernel").Key, Script: script}}
	}
	one := []*built{{probes: []recipe.Probe{{Key: recipe.PathKey("/etc/one")}}}}
	first, again, other := shared.merged(one, question("uname -r")), shared.merged(one, question("uname -r")), shared.merged(one, question("uname -v"))
	if len(first) != 2 || &first[0] != &again[0] {
		t.Errorf("two hosts alike have lists of their own: %v, %v", first, again)
	}
	if other[1].Script != "uname -v" {
		t.Errorf("a host is asked another's question: %q", other[1].Script)
	}
	for range 100 {
		shared.merged([]*built{{}}, nil)
	}
	if kept := len(shared.merges); kept > mostAlike {
		t.Errorf("%d lists are kept of hosts that all differ", kept)
	}
}
