package script

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
)

// DefaultTimeout bounds a command that names no bound of its own.
const DefaultTimeout = 30 * time.Minute

// Steps returns the sh of steps that are done one after the other, for a runner: each
// announced, journaled before and after, and the last one when one fails.
func Steps(steps []recipe.Numbered) string {
	var s strings.Builder
	for _, step := range steps {
		// A step does not get descriptor 3: only the runner speaks to the controller.
		fmt.Fprintf(&s, "say begin %d\nmark %d\nrecord %s || exit 71\n(\nset -e\n%s\n) 3>&-\nrc=$?\n", step.Number, step.Number, Quote(begun(step).Line()), strings.TrimSpace(covered(step)+body(step)))
		fmt.Fprintf(&s, "record \"{\\\"event\\\":\\\"end\\\",\\\"step\\\":%d,\\\"status\\\":$rc}\"\nsay end %d $rc\n[ $rc -eq 0 ] || exit $rc\n", step.Number, step.Number)
	}
	return s.String()
}

// Note returns the sh that adds a record to the run's journal, for a runner.
func Note(record Record) string { return "record " + Quote(record.Line()) + " || exit\n" }

// Uploads returns the sh that notes the temporaries of uploads, for a runner.
func Uploads(uploads []recipe.Upload) string {
	var s strings.Builder
	for _, upload := range uploads {
		s.WriteString("echo " + base64.StdEncoding.EncodeToString([]byte(upload.Temporary())) + " >>\"$state/uploads\" || exit\n")
	}
	return s.String() + "sync \"$state/uploads\" || exit\n"
}

// body is what one step does, in a shell of its own under set -e.
func body(numbered recipe.Numbered) string {
	number := fmt.Sprint(numbered.Number)
	switch step := numbered.Step.(type) {
	case recipe.WriteFile:
		return writeFile(number, step)
	case recipe.MakeDirectory:
		path := Quote(step.Path)
		return "keep " + number + " " + path + "\nmkdir -m 0700 -- " + path + "\n" + own(step.Attributes, path)
	case recipe.SetAttributes:
		path := Quote(step.Path)
		return "keep " + number + " " + path + "\n" + own(step.Attributes, path)
	case recipe.MakeLink:
		path := Quote(step.Path)
		return "keep " + number + " " + path + "\nbeside " + path + " " + number + "\nunits_changed " + path +
			"\nln -s -f -T -- " + Quote(step.Target) + ` "$new"` + "\nmv -f -T -- \"$new\" " + path + " || discard"
	case recipe.Remove:
		path := Quote(step.Path)
		if step.Tree {
			return "keep_tree " + number + " " + path + "\nunits_changed " + path + "\nrm -rf -- " + path
		}
		return "keep " + number + " " + path + "\nunits_changed " + path +
			"\nif [ -d " + path + " ] && [ ! -L " + path + " ]; then rmdir -- " + path + "; else rm -f -- " + path + "; fi"
	case recipe.FetchLists:
		return "update"
	case recipe.InstallPackages:
		return installPackages(step)
	case recipe.ControlUnit:
		return controlUnit(step)
	case recipe.Upload:
		path, temporary := Quote(step.Path), Quote(step.Temporary())
		return "keep " + number + " " + path + "\nnew=" + temporary +
			"\n[ \"$(sha256sum <" + temporary + ")\" = '" + step.Artifact.SHA256 + "  -' ] || { echo " +
			Quote(step.Path+": what arrived is not what was sent") + " >&2; discard; }" +
			fmt.Sprintf("\nput %05o %s %s", step.Mode, Quote(step.Owner+":"+step.Group), path)
	case recipe.Exec:
		return exec(step)
	case recipe.Rehearse:
		return rehearse(number, step)
	case recipe.Restore:
		from := ""
		if step.Run != "" {
			from = "from=" + Quote(State+"/runs/"+step.Run) + "\n"
		}
		return "keep " + number + " " + Quote(step.Path) + "\n" + from + "restore " + fmt.Sprint(step.Number)
	case recipe.Arm:
		return arm(step)
	case recipe.Confirm:
		return "confirm " + Quote(step.Unit)
	case recipe.Undo:
		return "undo_now " + Quote(step.Unit)
	case recipe.Notify:
		return notify(step.Notification)
	case recipe.Clear:
		return "rm -f -- " + Quote(State+"/pending/"+step.Unit)
	}
	panic(fmt.Sprintf("script: step %T is not in the closed set", numbered.Step))
}

// installPackages notes first what has to restart for them, so that a run that dies in between
// still does.
func installPackages(step recipe.InstallPackages) string {
	notes := ""
	for _, unit := range step.Restarts {
		notes += notify(recipe.Notification{Unit: unit, Action: recipe.Restart}) + "\n"
	}
	update := "no"
	if step.Update {
		update = "yes"
	}
	return notes + "install_packages " + update + " " + QuoteAll(step.Names...)
}

func notify(n recipe.Notification) string {
	return "notify " + Quote(n.Unit) + " " + Quote(string(n.Action))
}

// own sets mode and owners. The mode has five digits, for with fewer chmod(1) leaves a
// directory's set-user-ID and set-group-ID as they are; it comes after chown(1), which takes
// them from a file.
func own(a recipe.Attributes, path string) string {
	return "chown -h -- " + Quote(a.Owner+":"+a.Group) + " " + path + "\nchmod " + fmt.Sprintf("%05o", a.Mode) + " -- " + path
}

// writeFile writes beside the path and renames. The content is in a here-document, which
// dash hands over by a pipe: it is in no argv and in no other file.
func writeFile(number string, step recipe.WriteFile) string {
	path := Quote(step.Path)
	need := ""
	for _, placeholder := range placeholders(step) {
		secret := step.Fill[placeholder]
		need += "[ -s " + Quote(secret) + " ] || { echo " + Quote("there is no secret in "+secret) + " >&2; exit 1; }\n"
	}
	if step.Secret {
		need += "printf '%s\\n' " + base64.StdEncoding.EncodeToString([]byte(step.Path)) + " >>\"$state/secrets\"\nsync \"$state/secrets\"\n"
	}
	return need + "keep " + number + " " + path + "\nbeside " + path + " " + number + "\n(\numask 077\n" +
		produce(step, `"$new"`) + ") || room " + path + " || discard\n" +
		fmt.Sprintf("put %05o %s %s", step.Mode, Quote(step.Owner+":"+step.Group), path)
}

// produce writes a file's content to a word of sh, with the host's secrets filled in.
func produce(step recipe.WriteFile, to string) string {
	pipe := "base64 -d <<'EOF'"
	for _, placeholder := range placeholders(step) {
		pipe += " | " + swap(Quote(step.Fill[placeholder]), Quote(placeholder), true)
	}
	return pipe + " >" + to + "\n" + wrap(base64.StdEncoding.EncodeToString(step.Content)) + "EOF\n"
}

func placeholders(step recipe.WriteFile) []string {
	return slices.Sorted(maps.Keys(step.Fill))
}

// wrap breaks base64 into lines of 76 characters, as base64(1) does.
func wrap(text string) string {
	var s strings.Builder
	for len(text) > 76 {
		s.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	if text != "" {
		s.WriteString(text + "\n")
	}
	return s.String()
}

// checkTimeout bounds a service's validator: it reads files, and at worst asks a DNS server.
const checkTimeout = 2 * time.Minute

// check runs a service's validator, without input.
func check(text string) string {
	return fmt.Sprintf("timeout -k 10 %d sh -c %s </dev/null", seconds(checkTimeout), Quote(text))
}

// named is how a validator is called to people: by its text, or when it is long by the
// comment that it begins with.
func named(check string) string {
	line, _, _ := strings.Cut(check, "\n")
	if comment, ok := strings.CutPrefix(line, "# "); ok {
		return comment
	}
	return check
}

func controlUnit(step recipe.ControlUnit) string {
	unit := Quote(step.Unit)
	var s strings.Builder
	if step.Found.NeedReload {
		s.WriteString("units_changed /etc/systemd/system/" + unit + "\n")
	}
	s.WriteString("daemon_reload\n")
	if step.Check != "" {
		s.WriteString(check(step.Check) + " || { echo " +
			Quote(step.Unit+": its check failed, and it was left alone: "+named(step.Check)) + fmt.Sprintf(" >&2; exit %d; }\n", recipe.CheckFailed))
	}
	if step.Guarded && step.Verb != recipe.VerbEnable && step.Verb != recipe.VerbDisable && step.Verb != recipe.VerbStop {
		s.WriteString(countdown(step.Unit, slowest+recipe.UndoAfter))
	}
	where := listeners(step)
	if len(step.Listens) > 0 && !step.Back {
		s.WriteString("listened " + unit + " " + where + "\n")
	}
	switch step.Verb {
	case recipe.VerbStart:
		s.WriteString("systemctl reset-failed -- " + unit + " 2>/dev/null || :\nsystemctl start -- " + unit + " || explain " + unit + "\n")
	case recipe.VerbRestart:
		s.WriteString("systemctl reset-failed -- " + unit + " 2>/dev/null || :\nsystemctl restart -- " + unit + " || explain " + unit + "\n")
	case recipe.VerbReload:
		// nginx's reload returns before its new workers serve.
		s.WriteString("systemctl reload-or-restart -- " + unit + " || explain " + unit + "\nsleep 0.2\n")
	default:
		s.WriteString("systemctl -q " + string(step.Verb) + " -- " + unit + "\n")
		return s.String()
	}
	if !step.Oneshot {
		s.WriteString("settle " + unit + " " + where + "\n")
	}
	if step.Ready != "" {
		s.WriteString(check(step.Ready) + " || { echo " +
			Quote(step.Unit+": runs, but does not answer: "+named(step.Ready)) + " >&2; explain " + unit + "; }\n")
	}
	if step.Guarded {
		s.WriteString(countdown(step.Unit, recipe.UndoAfter))
	}
	return s.String()
}

// listeners are the words of sh that say where a unit has to listen.
func listeners(step recipe.ControlUnit) string {
	if step.Back {
		return `$(cat "$run"/listens-` + Quote(step.Unit) + " 2>/dev/null)"
	}
	words := make([]string, len(step.Listens))
	for i, listener := range step.Listens {
		words[i] = procAddress(listener)
	}
	return QuoteAll(words...)
}

// procAddress writes address:port as /proc/net/tcp does: an IPv4 address in the byte order
// of the machine, which is little-endian on every architecture that Debian 12 and 13
// release for but s390x. Of any other address only the port is looked at.
func procAddress(listener string) string {
	if strings.HasPrefix(listener, "/") {
		return listener
	}
	at := strings.LastIndex(listener, ":")
	var port int
	fmt.Sscan(listener[at+1:], &port)
	address, err := netip.ParseAddr(listener[:max(at, 0)])
	if err != nil || !address.Is4() {
		return fmt.Sprintf(":%04X", port)
	}
	four := address.As4()
	return fmt.Sprintf("%08X:%04X", binary.LittleEndian.Uint32(four[:]), port)
}

// exec runs a script in a sh of its own, under a time limit. What it is given on standard
// input comes from a here-document: a secret is never in argv.
func exec(step recipe.Exec) string {
	limit := step.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	command := fmt.Sprintf("timeout -k 10 %d sh -c %s", seconds(limit), Quote(step.Script))
	explain := fmt.Sprintf(" || timed_out $? %d\n", seconds(limit))
	if step.Input.Empty() {
		return command + " </dev/null" + explain
	}
	coded := base64.StdEncoding.EncodeToString([]byte(step.Input.Reveal()))
	return "base64 -d <<'EOF' | " + command + explain + wrap(coded) + "EOF"
}

// rehearse copies the trees, mounts the copies over them where only this process sees it,
// does the steps there and runs the check. The script goes over standard input: it bears
// the files' contents. unshare(1) is in util-linux, which is Essential.
func rehearse(number string, step recipe.Rehearse) string {
	var s strings.Builder
	s.WriteString("set -e\nexport LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\numask 022\n" + mirror)
	for i, tree := range step.Trees {
		if treeOf(step.Trees, tree) != "" {
			continue // copied with the one that it lies in; a mount of its own could not be removed
		}
		fmt.Fprintf(&s, "mirror %s \"$1/%d\" %s\n", Quote(tree), i, QuoteAll(touched(tree, step.Steps)...))
	}
	// A directory that is reached through a link may lie outside of the copies, in what is live.
	s.WriteString(`inside() {
[ -n "$1" ] || return 1
case $(realpath -m -- "$2")/ in "$(realpath -- "$1")"/*) return ;; esac
echo "$2: is a link out of $1: what it holds cannot be tried" >&2
return 1
}
`)
	for _, file := range step.Steps {
		s.WriteString("inside " + QuoteAll(treeOf(step.Trees, recipe.PathOf(file)), path.Dir(recipe.PathOf(file))) + "\n" + directly(file))
	}
	s.WriteString(check(step.Check) + "\n")
	dir := "\"$run/rehearse" + number + "\""
	return "mkdir -m 0700 " + dir + "\nrc=0\nbase64 -d <<'EOF' | unshare -m --propagation private sh -s " + dir + " || rc=$?\n" +
		wrap(base64.StdEncoding.EncodeToString([]byte(s.String()))) + "EOF\nrm -rf " + dir +
		"\n[ $rc -eq 0 ] || echo " + Quote(step.Unit+": the new configuration does not pass: "+named(step.Check)) + " >&2\nexit $rc"
}

// mirror puts a copy of a directory in its place: mirror TREE COPY NAME... Of its own
// directories only those named are copied; the others, which may be big, are there as they
// are, and cannot be written.
const mirror = `mirror() {
tree=$1 copy=$2
shift 2
mkdir -- "$copy"
chown --reference="$tree" -- "$copy"
chmod --reference="$tree" -- "$copy"
for entry in "$tree"/* "$tree"/.[!.]* "$tree"/..?*; do
[ -e "$entry" ] || [ -L "$entry" ] || continue
name=${entry##*/} how=copy
if [ -d "$entry" ] && [ ! -L "$entry" ]; then
how=mount
for changed; do [ "$changed" != "$name" ] || how=copy; done
fi
if [ $how = copy ]; then cp -a -T -- "$entry" "$copy/$name"
else
mkdir -- "$copy/$name"
mount -o bind,ro -- "$entry" "$copy/$name"
fi
done
mount --rbind -- "$copy" "$tree"
}
`

// touched returns the names in a directory at or below which steps change something.
func touched(tree string, steps []recipe.Step) []string {
	var names []string
	for _, step := range steps {
		if rest, ok := strings.CutPrefix(recipe.PathOf(step), tree+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// treeOf returns the outermost of trees that a path lies in, "" when it lies in none.
func treeOf(trees []string, path string) string {
	outermost := ""
	for _, tree := range trees {
		if strings.HasPrefix(path, tree+"/") && (outermost == "" || len(tree) < len(outermost)) {
			outermost = tree
		}
	}
	return outermost
}

// directly is a file step without journal, kept copy and rename: for a rehearsal.
func directly(step recipe.Step) string {
	switch step := step.(type) {
	case recipe.WriteFile:
		path := Quote(step.Path)
		return "rm -f -- " + path + "\n" + produce(step, path) + own(step.Attributes, path) + "\n"
	case recipe.MakeDirectory:
		return "mkdir -p -- " + Quote(step.Path) + "\n" + own(step.Attributes, Quote(step.Path)) + "\n"
	case recipe.MakeLink:
		return "ln -s -f -T -- " + Quote(step.Target) + " " + Quote(step.Path) + "\n"
	case recipe.SetAttributes:
		return own(step.Attributes, Quote(step.Path)) + "\n"
	case recipe.Remove:
		return "rm -rf -- " + Quote(step.Path) + "\n"
	}
	return ""
}
