INSERT INTO portcullis.refresh_families (id, form, subject, client_id, share, generation, key_id, rotated_at, idle_until,
    absolute_until, ended, family)
VALUES ('\xf46b0d03c59f9f329711c7a6bf11ea3c', 1, 'alice', 'web', '\xf567f89da614ad89f4ab458b975d1077', 1, 1, 1700000060000, 4853600000000,
    4853600000000, NULL, $family${"v":1,"id":"9GsNA8WfnzKXEcemvxHqPA","share":"9Wf4naYUrYn0q0WLl10Qdw","generation":1,"key_id":1,"rotated_at":1700000060000,"idle_until":4853600000000,"absolute_until":4853600000000,"ended":null,"log_in":{"subject":"alice","client_id":"web","at":1700000000,"scopes":["orders:read","orders:write"],"audiences":["https://orders.test"],"version":3,"acr":"mfa","label":"Zoë's phone"}}$family$);
