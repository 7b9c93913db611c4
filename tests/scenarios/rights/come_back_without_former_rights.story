# Who was detached and invited again starts without the groups of before.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Énergie is a group of Forges: Anna
Given Énergie has data_services on all points
When Diane detaches Anna from Forges
When Diane invites Anna to Forges
When Anna opens the last link
Then Anna acts for Forges
Then Anna may not use data_services: reserved (Énergie)
