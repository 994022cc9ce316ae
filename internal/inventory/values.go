package inventory

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// Extra is one -e task.variable=value, checked.
type Extra struct {
	Task     string
	Variable string
	Value    any // raw, as recipe.Variable.Decode wants it; of a secret variable a recipe.Secret
}

// ParseExtra reads the argument of -e, task.variable=value. The value of a text is taken
// as it stands: -e graphite.time_zone=no is the text "no". Every other type is written as
// in hosts.yaml: true, 5, [a, b]. A secret's value is not taken from the command line,
// which everybody on the machine can read, but from a file (@FILE, without the newline at
// its end), standard input (@-) or an environment variable (@env:NAME).
func ParseExtra(text string, known Known) (Extra, error) {
	key, value, found := strings.Cut(text, "=")
	refuse := func(problem, hint string) (Extra, error) {
		return Extra{}, &Error{Position: Position{File: fmt.Sprintf("-e %s", printable(key))}, Problem: problem, Advice: hint}
	}
	if !found {
		// What was given may be a secret whose variable was forgotten: it is not repeated.
		return Extra{}, &Error{Position: Position{File: "-e"}, Problem: "no = in it", Advice: "write -e task.variable=value"}
	}
	variable, problem, hint := known.variable(key)
	if problem != "" {
		return refuse(problem, hint)
	}
	extra := Extra{Variable: variable.Name}
	extra.Task, _, _ = strings.Cut(key, ".")
	switch variable.Type {
	case recipe.TypeSecret:
		secret, problem, hint := readSecret(key, value)
		if problem != "" {
			return refuse(problem, hint)
		}
		if _, err := variable.Decode(secret); err != nil {
			return refuse(SecretProblem(variable, secret, err, "the secret is not accepted"), variable.Help)
		}
		extra.Value = secret
		return extra, nil
	case recipe.TypeString:
		if strings.ContainsAny(value, "\x00\r\n") {
			return refuse("a control character in the value", "write it as one line")
		}
		extra.Value = value
	default:
		raw, err := parseExtraValue(key, value, variable)
		if err != nil {
			return Extra{}, err
		}
		extra.Value = raw
	}
	if _, err := variable.Decode(extra.Value); err != nil {
		return refuse(err.Error(), choices(variable, extra.Value))
	}
	return extra, nil
}

// parseExtraValue reads a value that is no text as YAML.
func parseExtraValue(key, value string, v recipe.Variable) (any, error) {
	at := Position{File: "-e " + key}
	refused := func(err error) (any, error) {
		first := err
		if several, ok := err.(Errors); ok {
			first = several[0]
		}
		if one, ok := first.(*Error); ok {
			one.Position = at // a place in an argument helps nobody
			return nil, one
		}
		return nil, first
	}
	if len(value) > maxSize/16 {
		return nil, &Error{Position: at, Problem: "longer than 64 KiB", Advice: "put it into hosts.yaml"}
	}
	root, err := parseYAML(at.File, []byte(value))
	if err != nil {
		return refused(err)
	}
	if root == nil {
		root = &node{kind: kindNull}
	}
	d := decoder{}
	raw, _ := d.raw("", v, root)
	if err := d.errs.result(); err != nil {
		return refused(err)
	}
	return raw, nil
}

// readSecret takes a secret from where the command line says it is.
func readSecret(key, source string) (secret recipe.Secret, problem, hint string) {
	const most = 64 << 10
	place, given := strings.CutPrefix(source, "@")
	hint = fmt.Sprintf("-e %s=@FILE reads it from a file, =@- from standard input, =@env:NAME from the environment", key)
	if !given || place == "" {
		return secret, "a secret on the command line: everybody on this machine can read it", hint
	}
	var data []byte
	var err error
	name, environment := strings.CutPrefix(place, "env:")
	switch {
	case environment:
		data = []byte(os.Getenv(name))
	case place == "-":
		data, err = io.ReadAll(io.LimitReader(os.Stdin, most+1))
	default:
		// No stat: a shell's <(command) is a FIFO.
		var file *os.File
		if file, err = os.Open(place); err == nil {
			defer file.Close()
			data, err = io.ReadAll(io.LimitReader(file, most+1))
		}
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case err != nil:
		return secret, fmt.Sprintf("%s: %s", printable(place), reason(err)), hint
	case len(data) > most:
		return secret, fmt.Sprintf("%s: longer than 64 KiB", printable(place)), hint
	case text == "":
		return secret, fmt.Sprintf("%s: there is nothing in it", printable(place)), hint
	}
	return recipe.NewSecret(text), "", ""
}

// printable returns text as it can be shown on a line of its own.
func printable(text string) string {
	quoted := fmt.Sprintf("%q", text)
	if quoted == `"`+text+`"` {
		return text
	}
	return quoted
}

// Decrypting is the host with another who decrypts its secrets.
func (h Host) Decrypting(secrets Decrypter) Host {
	h.secrets = secrets
	return h
}

// Values returns a task's variables for the host, decoded and checked, each of the task's
// present: the task's default, or what the inventory sets, or the last of the extras.
// This is where secrets are decrypted. The error is an *Error with the value's place; it
// never has a decrypted value in it.
func (h Host) Values(task string, known Known, extra []Extra) (recipe.Values, error) {
	found, problem, hint := known.task(task)
	if problem != "" {
		return nil, &Error{What: "task " + task, Problem: "there is no such task", Advice: hint}
	}
	values := recipe.Values{}
	for _, v := range found.Variables {
		value, err := h.variable(task+"."+v.Name, task, v, extra)
		if err != nil {
			return nil, err
		}
		values[v.Name] = value
	}
	return values, nil
}

// Refusal returns the error of a variable whose value does not go with others, at the place
// where it is set, if it is.
func (h Host) Refusal(task, variable string, extra []Extra, problem error) *Error {
	setting, _ := h.setting(task, variable, extra)
	refused := &Error{Position: setting.Position, What: "variable " + task + "." + variable, Problem: problem.Error(), Advice: "provision list " + task, Cause: problem}
	if setting.Line == 0 && setting.File != "" {
		refused.What = "" // -e names it
	}
	return refused
}

// setting returns what sets a variable: the last of the extras, or the inventory. Of an instance that
// has none of its own the task's counts.
func (h Host) setting(task, variable string, extra []Extra) (Setting, bool) {
	names := []string{task}
	if base, instance := recipe.SplitInstance(task); instance != "" {
		names = append(names, base)
	}
	for _, name := range names {
		for _, e := range slices.Backward(extra) {
			if e.Task == name && e.Variable == variable {
				return Setting{Value: e.Value, Position: Position{File: "-e " + name + "." + variable}, Of: "-e"}, true
			}
		}
	}
	for _, name := range names {
		if setting, set := h.Vars[name+"."+variable]; set {
			return setting, true
		}
	}
	return Setting{}, false
}

// Effective is what a variable is for a host, and where that comes from.
type Effective struct {
	Name    string // task.variable
	Value   any    // decoded; nil of one that is secret
	Secret  bool   // it has a value that is not shown
	Missing bool   // it has to be set, and is not
	Setting        // the zero value where it is the task's default
}

// Effective returns a task's variables as they are for the host. Nothing is decrypted.
func (h Host) Effective(task string, known Known, extra []Extra) ([]Effective, error) {
	found, _, _ := known.task(task)
	var all []Effective
	for _, v := range found.Variables {
		e := Effective{Name: task + "." + v.Name}
		setting, set := h.setting(task, v.Name, extra)
		e.Setting = setting
		_, encrypted := setting.Value.(Ciphertext)
		_, given := setting.Value.(recipe.Secret)
		if e.Secret = encrypted || given; !e.Secret && v.Type != recipe.TypeSecret {
			e.Value = v.Zero()
		}
		if e.Missing = !set && v.Needed; e.Missing {
			e.Value = nil
		}
		if set && !e.Secret {
			var err error
			if e.Value, err = h.variable(e.Name, task, v, extra); err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	return all, nil
}

func (h Host) variable(key, task string, v recipe.Variable, extra []Extra) (any, error) {
	setting, set := h.setting(task, v.Name, extra)
	if !set && v.Needed {
		return nil, &Error{What: "variable " + key, Problem: "is not set, and has no default", Advice: settingHint(key, v)}
	}
	if !set {
		return v.Zero(), nil
	}
	refuse := func(problem, hint string, cause error) (any, error) {
		return nil, &Error{Position: setting.Position, What: "variable " + key, Problem: problem, Advice: hint, Cause: cause}
	}
	raw := setting.Value
	if ciphertext, encrypted := raw.(Ciphertext); encrypted {
		if h.secrets == nil {
			return refuse("is encrypted, and no key to decrypt it was given", decryptHint(ErrNoKey), ErrNoKey)
		}
		secret, err := h.secrets.Decrypt(ciphertext)
		if err != nil {
			return refuse("cannot be decrypted: "+err.Error(), decryptHint(err), err)
		}
		raw = secret
	}
	decoded, err := v.Decode(raw)
	if secret, ok := raw.(recipe.Secret); err != nil && ok {
		return refuse(SecretProblem(v, secret, err, "the decrypted value is not accepted"), v.Help, nil)
	}
	if err != nil {
		return refuse(err.Error(), choices(v, raw), err)
	}
	return decoded, nil
}

// settingHint says how a variable is set.
func settingHint(key string, v recipe.Variable) string {
	if v.Type == recipe.TypeSecret {
		return "provision secret encrypt " + key + ", or -e " + key + "=@FILE"
	}
	return "write it into hosts.yaml, under vars:, or add -e " + key + "=VALUE"
}

// SecretProblem returns why a value that nobody may see is refused. Only a secret variable's
// check is trusted not to repeat the value, and not even that one blindly.
func SecretProblem(v recipe.Variable, value recipe.Secret, reason error, otherwise string) string {
	quoted := strconv.Quote(value.Reveal())
	for _, repeated := range []string{value.Reveal(), quoted[1 : len(quoted)-1]} {
		if v.Type != recipe.TypeSecret || strings.Contains(reason.Error(), repeated) {
			return otherwise
		}
	}
	return otherwise + ": " + reason.Error()
}

// hintOf returns an error's hint, if it has one.
func hintOf(err error) string {
	if hinted, ok := err.(interface{ Hint() string }); ok {
		return hinted.Hint()
	}
	return ""
}
