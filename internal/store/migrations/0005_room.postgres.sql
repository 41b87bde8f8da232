-- As with image: an update of the feeds changes the counters of most artifacts, none
-- of which is in an index. With room in its page a row is changed there, and nothing
-- is written into the indexes. Pages that are full get room as their rows move away.
ALTER TABLE artifact SET (fillfactor = 60);
