"""Cases as data: what each is called, promises, needs, and is proved by. No pytest in here."""
