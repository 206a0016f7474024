-- What messages need that change: recalls and edits (P2, P3).

-- `change` numbers the recalls and edits of a conversation, 0: none of this message; who has left
-- sees those up to `changes` of its parting (T2).
ALTER TABLE messages ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE heads ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
