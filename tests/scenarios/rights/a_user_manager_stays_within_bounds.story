# Managing users is inviting, detaching and composing groups; not giving services, nor oneself rights.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Équipe is a group of Forges: Anna
Given Lyon is a group of Forges: nobody
Given Équipe has users
Given Lyon has measurements on P1
When Anna makes Bruno the members of Lyon
Then Bruno uses measurements on P1
When Anna makes Anna and Bruno the members of Lyon -> NotAllowed
When Anna gives meters on all points to Lyon -> NotAllowed
When Anna detaches Diane from Forges -> NotAllowed
When Anna makes Bruno an administrator of Forges -> NotAllowed
When Anna invites Zoe to Forges as an administrator -> NotAllowed
When Anna invites Zoe to Forges
Then the invitation of Zoe is pending
