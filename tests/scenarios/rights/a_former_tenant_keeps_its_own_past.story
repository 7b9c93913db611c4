# Who held the point still reads the time they held it; perimeters apply all the same.
Given Forges is a company
Given Moulins is a company
Given Forges holds P1, P2
Given Anna and Bruno are users of Forges
Given Carla is a user of Moulins
Given Lyon is a group of Forges: Anna
Given Siège is a group of Forges: Bruno
Given Lyon has measurements on P1
Given Siège has measurements on P2
When Moulins moves into P1 on 2026-06-01
Then Anna uses measurements on P1
Then Bruno uses measurements on P2
Then Carla uses measurements on P1
