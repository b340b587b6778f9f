-- What a shared store needs in PostgreSQL. Run once, by the first wall that connects.
--
-- A log is the rows of mcpwall_charges with one key. `total` is the sum of all amounts ever up to
-- and including this row, `before` without it, so the sum of a window is the difference of two
-- totals, whatever lies between. Times are microseconds since 1970 by this server's clock.

CREATE TABLE mcpwall_logs (
    key text PRIMARY KEY,
    window_us bigint NOT NULL, -- the widest that was asked
    asked_us bigint NOT NULL
);

CREATE TABLE mcpwall_charges (
    key text NOT NULL REFERENCES mcpwall_logs ON DELETE CASCADE,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at_us bigint NOT NULL,
    call text NOT NULL,
    before numeric NOT NULL,
    total numeric NOT NULL,
    PRIMARY KEY (key, seq)
);
CREATE INDEX mcpwall_charges_by_time ON mcpwall_charges (key, at_us, seq);
CREATE INDEX mcpwall_charges_by_total ON mcpwall_charges (key, total, seq);

CREATE TABLE mcpwall_record (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    entry bytea NOT NULL -- JSON in UTF-8, whatever this database's encoding is
);

-- Lock logs until the end of the transaction, in one order for all, and make those that are new.
CREATE FUNCTION mcpwall_lock_1(logs text[], windows bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO mcpwall_logs AS log (key, window_us, asked_us)
        SELECT key, max(window_us), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        FROM unnest(logs, windows) AS asked (key, window_us) GROUP BY key ORDER BY key
        ON CONFLICT (key) DO UPDATE SET
            window_us = greatest(log.window_us, excluded.window_us),
            asked_us = greatest(log.asked_us, excluded.asked_us);
$$;

-- Book a call's amounts if all its logs have room, and enter it in the record; otherwise nothing.
-- Each element of the arrays is a bound. Returns for each how long until it has room, in
-- microseconds; all 0: booked and entered. `given_us` takes the place of the clock.
CREATE FUNCTION mcpwall_reserve_1(
    call_id text, call_entry bytea, logs text[], amounts numeric[], maxima numeric[],
    windows bigint[], given_us bigint
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    now_us bigint;
    waits bigint[] := '{}';
    befores numeric[] := '{}';
    newest record;
    oldest numeric; -- the total before the first booking in the window
    frees bigint;
BEGIN
    -- The locks come first, and only then the time: what waits for another reservation sees what
    -- that one booked, and times in a log never go back.
    PERFORM mcpwall_lock_1(logs, windows);
    now_us := coalesce(given_us, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    FOR i IN 1 .. cardinality(logs) LOOP
        SELECT total INTO newest FROM mcpwall_charges
            WHERE key = logs[i] ORDER BY seq DESC LIMIT 1;
        befores[i] := coalesce(newest.total, 0);
        SELECT before INTO oldest FROM mcpwall_charges
            WHERE key = logs[i] AND at_us > now_us - windows[i] ORDER BY at_us, seq LIMIT 1;
        waits[i] := 0;
        IF befores[i] + amounts[i] - coalesce(oldest, befores[i]) > maxima[i] THEN
            -- the first booking whose end of window leaves room
            SELECT at_us INTO frees FROM mcpwall_charges
                WHERE key = logs[i] AND total >= befores[i] + amounts[i] - maxima[i]
                ORDER BY total, seq LIMIT 1;
            waits[i] := frees + windows[i] - now_us;
        END IF;
    END LOOP;
    IF 0 < ANY (waits) THEN
        RETURN waits;
    END IF;
    FOR i IN 1 .. cardinality(logs) LOOP
        CONTINUE WHEN amounts[i] = 0; -- nothing is booked for nothing
        DELETE FROM mcpwall_charges USING mcpwall_logs AS log
            WHERE mcpwall_charges.key = logs[i] AND log.key = logs[i]
            AND at_us <= now_us - log.window_us;
        INSERT INTO mcpwall_charges (key, at_us, call, before, total)
            SELECT logs[i], greatest(now_us, max(at_us)), call_id, befores[i],
                befores[i] + amounts[i]
            FROM mcpwall_charges WHERE key = logs[i];
    END LOOP;
    INSERT INTO mcpwall_record (entry) VALUES (call_entry);
    RETURN waits;
END
$$;

-- Take a call's bookings out of its logs, as if they had never been.
CREATE FUNCTION mcpwall_give_back_1(call_id text, logs text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    PERFORM FROM mcpwall_logs WHERE key = ANY (logs) ORDER BY key FOR UPDATE;
    FOR gone IN
        DELETE FROM mcpwall_charges WHERE key = ANY (logs) AND call = call_id
        RETURNING key, seq, total - before AS amount
    LOOP
        UPDATE mcpwall_charges SET before = before - gone.amount, total = total - gone.amount
            WHERE key = gone.key AND seq > gone.seq;
    END LOOP;
END
$$;
