# Deleting the only group that has a service opens it to all again.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Anna
Given Lyon has measurements on P1
When Diane deletes Lyon
Then Anna and Bruno use measurements on P1, P2, P3
Then the history of Forges says group.deleted of Lyon by Diane
