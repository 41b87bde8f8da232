package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"breakwater"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// adminCommand is a command on the data directory. It may run beside the server.
func adminCommand(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, h *house, args []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		c, err := loadConfig(cmd.Flags())
		if err != nil {
			return err
		}
		h, err := openBase(cmd.Context(), c, adminLogger())
		if err != nil {
			return err
		}
		defer h.close()
		return run(cmd, h, args)
	}}
	cmd.Flags().String("config", "", "YAML file with the settings")
	dataFlags(cmd.Flags())
	return cmd
}

func userCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Who may sign in"}
	create := adminCommand("create NAME", "Create a user; the password is read from standard input", cobra.ExactArgs(1), createUser)
	create.Flags().String("project", "", "also give a role in this project")
	create.Flags().String("role", "viewer", "that role: admin, operator, viewer or robot")
	role := adminCommand("role NAME PROJECT ROLE", "Give a user a role in a project (none takes it away)", cobra.ExactArgs(3), setRole)
	cmd.AddCommand(create, role,
		adminCommand("list", "List users", cobra.NoArgs, listUsers),
		adminCommand("password NAME", "Change a password, read from standard input", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			password, err := readPassword(cmd)
			if err != nil {
				return err
			}
			return h.iam.SetPassword(cmd.Context(), args[0], password)
		}),
		adminCommand("disable NAME", "Keep a user out", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			return h.iam.DisableUser(cmd.Context(), args[0], true)
		}),
		adminCommand("enable NAME", "Let a disabled user in again", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			return h.iam.DisableUser(cmd.Context(), args[0], false)
		}),
		adminCommand("delete NAME", "Delete a user and their access keys", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			return h.iam.DeleteUser(cmd.Context(), args[0])
		}))
	return cmd
}

func createUser(cmd *cobra.Command, h *house, args []string) error {
	project, _ := cmd.Flags().GetString("project")
	word, _ := cmd.Flags().GetString("role")
	role, err := breakwater.ParseRole(word)
	if err != nil {
		return err
	}
	password, err := readPassword(cmd)
	if err != nil {
		return err
	}
	u, err := h.iam.CreateUser(cmd.Context(), args[0], password)
	if err != nil {
		return err
	}
	if project != "" {
		if err := h.iam.SetRole(cmd.Context(), u.Name, project, role); err != nil {
			return err
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", u.ID, u.Name)
	return nil
}

func setRole(cmd *cobra.Command, h *house, args []string) error {
	if args[2] == "none" {
		return h.iam.RemoveRole(cmd.Context(), args[0], args[1])
	}
	role, err := breakwater.ParseRole(args[2])
	if err != nil {
		return err
	}
	return h.iam.SetRole(cmd.Context(), args[0], args[1], role)
}

func listUsers(cmd *cobra.Command, h *house, _ []string) error {
	users, err := h.iam.Users(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, u := range users {
		state := "enabled"
		if u.Disabled {
			state = "disabled"
		}
		rows = append(rows, []string{u.ID, u.Name, state, dateText(u.Created)})
	}
	table(cmd.OutOrStdout(), []string{"ID", "NAME", "STATE", "CREATED"}, rows)
	return nil
}

func projectCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "project", Short: "Tenants: a project sees nothing of another"}
	cmd.AddCommand(
		adminCommand("create NAME", "Create a project", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			p, err := h.iam.CreateProject(cmd.Context(), args[0])
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", p.ID, p.Name)
			}
			return err
		}),
		adminCommand("delete NAME", "Delete an empty project", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			return h.iam.DeleteProject(cmd.Context(), args[0])
		}),
		adminCommand("list", "List projects", cobra.NoArgs, func(cmd *cobra.Command, h *house, _ []string) error {
			projects, err := h.iam.Projects(cmd.Context())
			var rows [][]string
			for _, p := range projects {
				rows = append(rows, []string{p.ID, p.Name, dateText(p.Created)})
			}
			table(cmd.OutOrStdout(), []string{"ID", "NAME", "CREATED"}, rows)
			return err
		}),
		adminCommand("members NAME", "List who has which role", cobra.ExactArgs(1), listMembers))
	return cmd
}

func listMembers(cmd *cobra.Command, h *house, args []string) error {
	members, err := h.iam.Members(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	names, err := userNames(cmd.Context(), h)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, m := range members {
		rows = append(rows, []string{names[m.UserID], string(m.Role)})
	}
	table(cmd.OutOrStdout(), []string{"USER", "ROLE"}, rows)
	return nil
}

func userNames(ctx context.Context, h *house) (map[string]string, error) {
	users, err := h.iam.Users(ctx)
	names := make(map[string]string, len(users))
	for _, u := range users {
		names[u.ID] = u.Name
	}
	return names, err
}

func accessKeyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "access-key", Short: "AK/SK pairs, for the SDKs and docker login"}
	cmd.AddCommand(
		adminCommand("create USER PROJECT", "Create an access key; the secret is shown once", cobra.ExactArgs(2), func(cmd *cobra.Command, h *house, args []string) error {
			ak, sk, err := h.iam.CreateAccessKey(cmd.Context(), args[0], args[1])
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "access key  %s\nsecret key  %s\n", ak, sk)
			}
			return err
		}),
		adminCommand("list USER", "List a user's access keys", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			keys, err := h.iam.AccessKeys(cmd.Context(), args[0])
			var rows [][]string
			for _, k := range keys {
				ends := "never"
				if !k.Expires.IsZero() {
					ends = dateText(k.Expires)
				}
				rows = append(rows, []string{k.AK, k.ProjectID, ends, dateText(k.Created)})
			}
			table(cmd.OutOrStdout(), []string{"ACCESS KEY", "PROJECT", "ENDS", "CREATED"}, rows)
			return err
		}),
		adminCommand("delete ACCESS-KEY", "Delete an access key", cobra.ExactArgs(1), func(cmd *cobra.Command, h *house, args []string) error {
			return h.iam.DeleteAccessKey(cmd.Context(), args[0])
		}))
	return cmd
}

// readPassword reads one line of standard input, unseen on a terminal.
func readPassword(cmd *cobra.Command) (string, error) {
	if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		return string(b), err
	}
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 1024)).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line != "" {
		return line, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = errors.New("no password on standard input")
	}
	return "", err
}

func dateText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
