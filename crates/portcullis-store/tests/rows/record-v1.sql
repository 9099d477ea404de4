INSERT INTO portcullis.records (kind, group_name, id, form, version, ends_at, text)
VALUES ('user_of_client', 'https://app.example/línea', 'alice/a.b', 1, 5150334871234567, 4102444800000, '\x616c6963653a206cc3ad6e65610a');
