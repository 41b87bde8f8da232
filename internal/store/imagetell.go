package store

import "context"

// differs tells whether image i says something else than its artifact a.
const differs = `(i.level <> a.level OR i.vul_num <> a.vul_num OR i.unsafe_setting_num <> a.unsafe_num OR i.malicious_file_num <> a.malicious_num)`

// tellImages makes the images of artifacts say what these do, and stamps those
// that said something else with the next revision of their projects.
func (db *DB) tellImages(ctx context.Context, artifacts []int64) error {
	if db.dialect == SQLite {
		return db.tellImagesOnce(ctx, jsonSet(artifacts))
	}
	names, err := db.raiseTold(ctx, `SELECT DISTINCT i.project_id FROM `+idTable+` JOIN artifact a ON a.id = m.id JOIN image i ON i.digest = a.digest
		WHERE `+differs, planned, artifacts)
	if err != nil || len(names) == 0 {
		return err
	}
	// Images that came to these projects since then are found too: the projects
	// are held now.
	_, err = db.exec(ctx, `UPDATE image AS i SET level = a.level, vul_num = a.vul_num, unsafe_setting_num = a.unsafe_num, malicious_file_num = a.malicious_num, rev = p.image_rev
		FROM `+idTable+` JOIN artifact a ON a.id = m.id, project p
		WHERE i.digest = a.digest AND p.id = i.project_id AND p.id `+db.inTexts()+` AND `+differs, planned, artifacts, jsonSet(names))
	return err
}

// tellImagesOnce is tellImages for SQLite, which has one writer: the images are
// looked for once and remembered, for to find them by digest costs more than to
// write them.
func (db *DB) tellImagesOnce(ctx context.Context, set string) error {
	for _, statement := range []string{
		`CREATE TEMP TABLE IF NOT EXISTS image_told (id INTEGER PRIMARY KEY, project_id TEXT, level TEXT, vul_num, unsafe_num, malicious_num)`,
		`DELETE FROM image_told`,
	} {
		if _, err := db.exec(ctx, statement); err != nil {
			return err
		}
	}
	n, err := db.affected(ctx, `INSERT INTO image_told (id, project_id, level, vul_num, unsafe_num, malicious_num)
		SELECT i.id, i.project_id, a.level, a.vul_num, a.unsafe_num, a.malicious_num FROM artifact a JOIN image i ON i.digest = a.digest
		WHERE a.id `+db.inIDs()+` AND `+differs, set)
	if err != nil || n == 0 {
		return err
	}
	if _, err := db.raiseTold(ctx, `SELECT DISTINCT project_id FROM image_told`); err != nil {
		return err
	}
	_, err = db.exec(ctx, db.update()+` image SET (level, vul_num, unsafe_setting_num, malicious_file_num, rev) =
			(SELECT t.level, t.vul_num, t.unsafe_num, t.malicious_num, p.image_rev FROM image_told t JOIN project p ON p.id = t.project_id WHERE t.id = image.id)
		WHERE id IN (SELECT id FROM image_told)`)
	return err
}

// raiseTold raises the revision of the projects that a query answers.
func (db *DB) raiseTold(ctx context.Context, query string, args ...any) (names []string, err error) {
	projects := map[string]bool{}
	rows, err := db.query(ctx, query, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var p string
		err := scan(&p)
		projects[p], names = true, append(names, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, db.raiseAll(ctx, projects)
}

// update is UPDATE for a statement that writes very many rows of a transaction
// which ends when it fails. To be able to undo the statement alone, SQLite keeps
// a copy of every page that it touches, and that costs more than the rest of it.
func (db *DB) update() string {
	if db.dialect == SQLite {
		return `UPDATE OR FAIL`
	}
	return `UPDATE`
}
