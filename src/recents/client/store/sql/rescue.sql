-- whose --
-- Whose copy a file is, and of which device.
SELECT account, device_id FROM copy WHERE id = 1;

-- next_command --
-- The command after a number. As bytes: what is no text any more would stop the reading.
SELECT number, CAST(account AS BLOB), CAST(pending AS BLOB)
FROM outbox
WHERE number > :number
ORDER BY number
LIMIT 1;

-- previous_command --
-- The command before a number.
SELECT number, CAST(account AS BLOB), CAST(pending AS BLOB)
FROM outbox
WHERE number < :number
ORDER BY number DESC
LIMIT 1;

-- command --
-- The command with a number.
SELECT number, CAST(account AS BLOB), CAST(pending AS BLOB) FROM outbox WHERE number = :number;
