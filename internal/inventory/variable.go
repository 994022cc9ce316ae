package inventory

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// vars reads a mapping of task.variable to values.
func (d *decoder) vars(n *node) map[string]Setting {
	settings := map[string]Setting{}
	if n == nil || !d.want(n, kindMapping, "vars", "a mapping of task.variable to values") {
		return settings
	}
	for _, entry := range n.pairs {
		key := entry.key.text
		what := "variable " + key
		variable, problem, hint := d.known.variable(key)
		if problem != "" {
			if _, task := d.known[key]; task && entry.value.kind == kindMapping && len(entry.value.pairs) > 0 {
				hint = fmt.Sprintf("write %s.%s: …", key, entry.value.pairs[0].key.text)
			}
			d.refuse(entry.key.at, what, problem, hint)
			continue
		}
		if value, ok := d.value(what, key, variable, entry.value); ok {
			settings[key] = Setting{Value: value, Position: entry.value.at}
		}
	}
	return settings
}

// value checks a node against its variable, and returns what Variable.Decode wants.
func (d *decoder) value(what, key string, v recipe.Variable, n *node) (any, bool) {
	if n.kind == kindString && isCiphertext(n.text) {
		return d.ciphertext(what, v, n)
	}
	if v.Type == recipe.TypeSecret {
		if n.kind == kindNull {
			d.refuse(n.at, what, "want a secret, found nothing", "give it a value, or remove the line")
			return nil, false
		}
		d.refuse(n.at, what, "a secret in plain text", "encrypt it: provision secret encrypt "+key)
		return nil, false
	}
	raw, ok := d.raw(what, v, n)
	if !ok {
		return nil, false
	}
	if _, err := v.Decode(raw); err != nil {
		d.refuse(n.at, what, err.Error(), choices(v, raw))
		return nil, false
	}
	return raw, true
}

// choices returns the hint for a value that is refused.
func choices(v recipe.Variable, raw any) string {
	if text, ok := raw.(string); ok && len(v.Choices) > 0 && !slices.Contains(v.Choices, text) {
		if near := recipe.Nearest(text, v.Choices); near != "" {
			return fmt.Sprintf("did you mean %q?", near)
		}
	}
	return v.Help
}

// raw checks a node's type, as exactly as the place of the mistake can be told.
func (d *decoder) raw(what string, v recipe.Variable, n *node) (any, bool) {
	before := len(d.errs)
	var raw any
	switch v.Type {
	case recipe.TypeString, recipe.TypeSecret:
		// A word that is one of the choices is not in doubt: tls: off.
		if n.kind != kindString || !slices.Contains(v.Choices, n.text) {
			d.text(n, what)
		}
		raw = n.text
	case recipe.TypeBool:
		if n.kind != kindBool || n.text != "true" && n.text != "false" {
			hint := "write true or false"
			if n.kind == kindString && oldBoolean.MatchString(n.text) || n.kind == kindBool {
				hint = "write " + fmt.Sprint(slices.Contains([]string{"y", "yes", "on", "true"}, strings.ToLower(n.text))) + ", without quotes"
			}
			d.refuse(n.at, what, "want true or false, found "+n.describe(), hint)
		}
		raw = n.text == "true"
	case recipe.TypeInt:
		if n.kind != kindInt {
			d.refuse(n.at, what, "want a whole number, found "+n.describe(), "digits only, without quotes and without a leading zero")
		}
		raw = n.whole
	case recipe.TypeList:
		raw = d.list(what, n)
	case recipe.TypeRecords:
		raw = d.records(what, v, n)
	}
	return raw, len(d.errs) == before
}

func (d *decoder) list(what string, n *node) []any {
	if !d.want(n, kindList, what, "a list") {
		return nil
	}
	list := []any{}
	for _, item := range n.items {
		if d.text(item, what) {
			list = append(list, item.text)
		}
	}
	return list
}

func (d *decoder) records(what string, v recipe.Variable, n *node) []any {
	fields := "each entry has " + v.Entry()
	if n.kind != kindList && n.kind != kindNull {
		d.refuse(n.at, what, "want a list of mappings with "+v.Entry()+", found "+n.describe(), fields)
		return nil
	}
	if !d.want(n, kindList, what, "a list of mappings with "+v.Entry()) {
		return nil
	}
	list := []any{}
	for i, item := range n.items {
		entry := strings.TrimPrefix(fmt.Sprintf("%s: entry %d", what, i+1), ": ") // of -e: no what
		before := len(d.errs)
		if !d.mapping(item, entry, v.Keys()) {
			continue
		}
		record := map[string]any{}
		for _, field := range item.pairs {
			if d.text(field.value, entry+": "+field.key.text) {
				record[field.key.text] = field.value.text
			}
		}
		for _, field := range v.Fields {
			if item.get(field) == nil && len(d.errs) == before {
				d.refuse(item.at, entry, field+" is missing", fields)
			}
		}
		list = append(list, record)
	}
	return list
}

// ciphertext checks an encrypted value as far as it can be without the key.
func (d *decoder) ciphertext(what string, v recipe.Variable, n *node) (any, bool) {
	if v.Type != recipe.TypeSecret && v.Type != recipe.TypeString {
		d.refuse(n.at, what, "is encrypted, and is no text", "only variables that are texts or secrets can be encrypted")
		return nil, false
	}
	if err := checkArmor(n.text); err != nil {
		d.refuse(n.at, what, "the encrypted value is damaged: "+err.Error(), "all its lines, from BEGIN to END, belong under the | and indented alike")
		return nil, false
	}
	return Ciphertext(n.text), true
}
