package store

import (
	"context"
	"fmt"
	"strings"

	"breakwater"
)

// RepositoryDetail is a repository with what is counted over its content.
type RepositoryDetail struct {
	breakwater.Repository
	Tags   []string // the newest maxListedTags
	Images int64    // number of tags
	Size   int64    // bytes of its manifests and of the distinct blobs they name
}

// maxListedTags is how many tag names one line of the repository list shows.
const maxListedTags = 100

// RepositoryOrder is what the repository list is sorted by.
type RepositoryOrder string

// The orders of the repository list; the zero value is OrderUpdated.
const (
	OrderUpdated  RepositoryOrder = "updated_at"
	OrderName     RepositoryOrder = "name"
	OrderTagCount RepositoryOrder = "tag_count"
)

// RepositoryFilter narrows the repository list; zero fields do not.
type RepositoryFilter struct {
	Namespace string
	Name      string // anywhere in the name
	Category  string
	Public    *bool
	Order     RepositoryOrder
	Asc       bool // false: newest, last or largest first
	Limit     int  // 0: 100
	Offset    int
}

// RepositoryDetails is one page of the project's repositories, and how many
// there are in all.
func (db *DB) RepositoryDetails(ctx context.Context, projectID string, f RepositoryFilter) (page []RepositoryDetail, total int, err error) {
	where, args := `WHERE r.project_id = ?`, []any{projectID}
	add := func(condition string, arg any) {
		where += ` AND ` + condition
		args = append(args, arg)
	}
	if f.Namespace != "" {
		add(`n.name = ?`, f.Namespace)
	}
	if f.Name != "" {
		add(`r.name LIKE ? ESCAPE '\'`, containing(strings.ToLower(f.Name)))
	}
	if f.Category != "" {
		add(`r.category = ?`, f.Category)
	}
	if f.Public != nil {
		add(`r.is_public = ?`, *f.Public)
	}
	err = db.View(ctx, func(tx *DB) error {
		page = nil
		if err := tx.queryRow(ctx, `SELECT COUNT(*)`+repositoryTables+where, args...).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.query(ctx, `SELECT `+repositoryColumns+`, (SELECT COUNT(*) FROM tag t WHERE t.repo_id = r.id) AS tags`+
			repositoryTables+where+f.orderBy()+` LIMIT ? OFFSET ?`, append(args, f.limit(), f.Offset)...)
		err = each(rows, err, func(scan func(...any) error) error {
			var d RepositoryDetail
			var err error
			d.Repository, err = scanRepository(scan, &d.Images)
			page = append(page, d)
			return err
		})
		if err != nil {
			return err
		}
		return tx.fillDetails(ctx, page)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store.RepositoryDetails: %w", err)
	}
	return page, total, nil
}

// RepositoryDetail is one repository of the project.
func (db *DB) RepositoryDetail(ctx context.Context, projectID, namespace, name string) (d RepositoryDetail, err error) {
	err = db.View(ctx, func(tx *DB) error {
		r, err := tx.Repository(ctx, projectID, namespace, name)
		if err != nil {
			return err
		}
		page := []RepositoryDetail{{Repository: r}}
		if err := tx.queryRow(ctx, `SELECT COUNT(*) FROM tag WHERE repo_id = ?`, r.ID).Scan(&page[0].Images); err != nil {
			return err
		}
		if err := tx.fillDetails(ctx, page); err != nil {
			return err
		}
		d = page[0]
		return nil
	})
	if err != nil {
		return RepositoryDetail{}, fmt.Errorf("store.RepositoryDetail: %w", err)
	}
	return d, nil
}

func (f RepositoryFilter) limit() int {
	if f.Limit == 0 {
		return 100
	}
	return f.Limit
}

// orderBy ends with the id, so that pages never overlap.
func (f RepositoryFilter) orderBy() string {
	way := ` DESC`
	if f.Asc {
		way = ` ASC`
	}
	switch f.Order {
	case OrderName:
		return ` ORDER BY r.name` + way + `, r.id` + way
	case OrderTagCount:
		return ` ORDER BY tags` + way + `, r.id` + way
	}
	return ` ORDER BY r.updated_ms` + way + `, r.id` + way
}

// fillDetails adds tags and sizes to the repositories of one page.
func (db *DB) fillDetails(ctx context.Context, page []RepositoryDetail) error {
	if len(page) == 0 {
		return nil
	}
	at := make(map[int64]*RepositoryDetail, len(page))
	ids := make([]any, len(page))
	for i := range page {
		at[page[i].ID], ids[i] = &page[i], page[i].ID
	}
	in := `(` + marks(len(ids)) + `)`
	rows, err := db.query(ctx, `SELECT repo_id, name FROM (
		SELECT repo_id, name, ROW_NUMBER() OVER (PARTITION BY repo_id ORDER BY updated_ms DESC, id DESC) AS place FROM tag WHERE repo_id IN `+in+`
		) newest WHERE place <= ? ORDER BY repo_id, place`, append(ids, maxListedTags)...)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var name string
		if err := scan(&id, &name); err != nil {
			return err
		}
		at[id].Tags = append(at[id].Tags, name)
		return nil
	})
	if err != nil {
		return err
	}
	for _, sum := range []string{
		`SELECT repo_id, SUM(LENGTH(body)) FROM manifest WHERE repo_id IN ` + in + ` GROUP BY repo_id`,
		`SELECT named.repo_id, SUM(b.size) FROM (SELECT DISTINCT repo_id, target FROM manifest_ref WHERE is_blob AND repo_id IN ` + in + `) named
			JOIN blob b ON b.digest = named.target GROUP BY named.repo_id`,
	} {
		rows, err := db.query(ctx, sum, ids...)
		err = each(rows, err, func(scan func(...any) error) error {
			var id, bytes int64
			if err := scan(&id, &bytes); err != nil {
				return err
			}
			at[id].Size += bytes
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// containing is the LIKE pattern of anything that holds s, with \ as the escape.
func containing(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}
