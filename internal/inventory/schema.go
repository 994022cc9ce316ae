package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"filippo.io/age/armor"

	"provision/internal/recipe"
)

// object is a JSON object; encoding/json writes its keys sorted, so that the schema of the
// same tasks is always the same text.
type object = map[string]any

// Schema returns the JSON schema of hosts.yaml for these tasks, for editors. It is of
// draft-07, the one that yaml-language-server (VS Code, Neovim, Emacs) completes from:
// https://github.com/redhat-developer/yaml-language-server. What only a program can check
// (that a group's hosts exist, that no address stands twice) is not in it.
// A task that it does not know may be a project's own; of one that it knows, all variables are here.
func Schema(known Known) []byte {
	list := func(items object, description string) object {
		return object{"type": "array", "items": items, "uniqueItems": true, "description": description}
	}
	reference := func(name string) object { return object{"$ref": "#/definitions/" + name} }
	tasks := list(taskSchema(known), "What provision install brings here")
	name := object{"pattern": groupName.String()}
	const ranged = `^[A-Za-z0-9_.-]*(\[[0-9]+:[0-9]+\])?[A-Za-z0-9_.-]*$`
	schema := object{
		"$schema":              "http://json-schema.org/draft-07/schema#",
		"title":                "hosts.yaml of provision",
		"description":          "Hosts, groups, the tasks of each and their variables",
		"type":                 "object",
		"additionalProperties": false,
		"required":             []string{"hosts"},
		"properties": object{
			"recipients": list(object{"type": "string", "pattern": "^(age1|ssh-ed25519 |ssh-rsa )"},
				"Public keys for whom the secrets in this file are encrypted: age1…, or an ssh key"),
			"vars":   reference("vars"),
			"ssh":    reference("ssh"),
			"groups": object{"type": "object", "propertyNames": name, "additionalProperties": reference("group"), "description": "Groups of hosts, by name"},
			"hosts": object{"type": "object", "propertyNames": object{"pattern": ranged}, "minProperties": 1, "additionalProperties": reference("host"),
				"description": "The hosts, by name; web[01:20] is twenty of them"},
		},
		"definitions": object{
			"vars":  vars(known),
			"ssh":   loginSchema(),
			"tasks": tasks,
			"group": object{
				"type": "object", "additionalProperties": false,
				"properties": object{
					"ssh":    reference("ssh"),
					"hosts":  list(object{"type": "string"}, "Names of hosts"),
					"groups": list(object{"type": "string"}, "Names of groups whose hosts belong here too"),
					"tasks":  reference("tasks"),
					"vars":   reference("vars"),
				},
			},
			"host": object{
				"type": []string{"object", "null"}, "additionalProperties": false,
				"properties": object{
					"address": object{"type": "string", "examples": []string{"root@192.0.2.10:2222"},
						"description": "user@host:port, IPv6 in brackets; without it the name itself, as ~/.ssh/config resolves it"},
					"ssh":   reference("ssh"),
					"tasks": reference("tasks"),
					"vars":  reference("vars"),
				},
			},
		},
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		// Only a default that JSON cannot hold does this: a mistake in a task.
		panic(fmt.Sprintf("schema: %v", err))
	}
	return text.Bytes()
}

// taskSchema returns the schema of a task's name, or of an instance's of one of which a host may have
// several. One that it does not know is a project's own.
func taskSchema(known Known) object {
	names := []object{{"enum": known.tasks()}}
	for _, name := range known.tasks() {
		if known[name].Instances {
			names = append(names, object{"pattern": "^" + name + "@" + recipe.InstanceForm + "$"})
		}
	}
	others := object{"pattern": "^" + ownTask + "$", "not": object{"pattern": "^(" + strings.Join(known.tasks(), "|") + ")(@|$)"}}
	return object{"type": "string", "anyOf": append(names, others)}
}

// loginSchema returns the schema of an ssh: mapping.
func loginSchema() object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	return object{
		"type": "object", "additionalProperties": false, "description": "How hosts are logged in to; what is nearer to a host wins",
		"properties": object{
			loginUser:     text("Who logs in, where the address does not say"),
			loginPort:     object{"type": "integer", "minimum": 1, "maximum": 65535, "description": "Of sshd, where the address does not say"},
			loginJump:     text("The way there, [user@]host[:port], several with commas; a host of this file by its name; none where a group has one"),
			loginIdentity: text("The file of a private key; a relative one is beside this file"),
		},
	}
}

// vars returns the schema of a vars: mapping.
func vars(known Known) object {
	properties := object{}
	for name, task := range known {
		for _, v := range task.Variables {
			properties[name+"."+v.Name] = variableSchema(v)
		}
	}
	names, instances := []object{{"enum": slices.Sorted(maps.Keys(properties))}}, object{}
	for name, task := range known {
		for _, v := range task.Variables {
			if task.Instances {
				instances["^"+name+"@"+recipe.InstanceForm+`\.`+v.Name+"$"] = variableSchema(v)
			}
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(instances)) {
		names = append(names, object{"pattern": pattern})
	}
	ofOthers := object{"pattern": "^" + ownTask + `\.[a-z][a-z0-9_]*$`, "not": object{"pattern": "^(" + strings.Join(known.tasks(), "|") + `)[.@]`}}
	schema := object{
		"type": "object", "properties": properties, "description": "Variables, each as task.variable",
		"propertyNames": object{"anyOf": append(names, ofOthers)},
	}
	if len(instances) > 0 {
		schema["patternProperties"] = instances
	}
	return schema
}

// ownTask is the form of the name of a project's own task, or of an instance of one.
const ownTask = `[a-z][a-z0-9_-]*(@` + recipe.InstanceForm + `)?`

// variableSchema returns the schema of one variable's value.
func variableSchema(v recipe.Variable) object {
	schema := object{"description": v.Help}
	if zero := v.Zero(); v.Default != nil && v.Type != recipe.TypeSecret {
		schema["default"] = zero
	}
	text := object{"type": "string"}
	switch v.Type {
	case recipe.TypeBool:
		schema["type"] = "boolean"
	case recipe.TypeInt:
		schema["type"] = "integer"
	case recipe.TypeList:
		schema["type"], schema["items"] = "array", text
	case recipe.TypeRecords:
		fields := object{}
		for _, field := range v.Keys() {
			fields[field] = text
		}
		schema["type"] = "array"
		schema["items"] = object{"type": "object", "additionalProperties": false, "required": v.Fields, "properties": fields}
	case recipe.TypeSecret:
		schema["type"], schema["pattern"] = "string", "^"+armor.Header
		schema["description"] = strings.TrimSpace(v.Help + " A secret: provision secret encrypt writes it here.")
	default:
		schema["type"] = "string"
		if len(v.Choices) > 0 {
			schema["enum"] = v.Choices
		}
	}
	return schema
}
